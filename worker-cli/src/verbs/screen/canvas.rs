//! A block of lines that is written over in place.

use std::io::{self, Write};

use super::text::{clip, width_of};

/// Begins and ends what a terminal that knows synchronized updates shows at once.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
/// Clears what is left of the line that was there before.
const CLEAR_LINE: &str = "\x1b[K";
/// Clears everything below.
const CLEAR_BELOW: &str = "\x1b[J";

/// A block at the bottom of a terminal. Lines are clipped to the width, so that each takes one row.
#[derive(Debug)]
pub(crate) struct Canvas<W> {
    terminal: W,
    shown: Vec<String>,
}

impl<W: Write> Canvas<W> {
    /// Begins below what is there.
    pub(crate) fn new(terminal: W) -> Self {
        Self { terminal, shown: Vec::new() }
    }

    /// Puts these lines in the place of those before. Of more lines than there is room for, the last
    /// ones are only counted.
    pub(crate) fn show(&mut self, lines: &[String], width: usize, height: usize) -> io::Result<()> {
        let lines = fitted(lines, width, height);
        if lines == self.shown {
            return Ok(());
        }
        let mut frame = format!("{BEGIN}{}", self.up());
        for line in &lines {
            frame.push_str(line);
            frame.push_str(CLEAR_LINE);
            frame.push_str("\r\n");
        }
        frame.push_str(CLEAR_BELOW);
        frame.push_str(END);
        self.shown = lines;
        self.terminal.write_all(frame.as_bytes())?;
        self.terminal.flush()
    }

    fn up(&self) -> String {
        match self.shown.len() {
            0 => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }
}

fn fitted(lines: &[String], width: usize, height: usize) -> Vec<String> {
    // The cursor stands below the block.
    let room = height.saturating_sub(1).max(1);
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    let mut fitted: Vec<String> = lines[..shown].iter().map(|line| clip(line, width)).collect();
    if shown < lines.len() {
        fitted.push(clip(&format!("… and {} more lines", lines.len() - shown), width));
    }
    debug_assert!(fitted.iter().all(|line| width_of(line) <= width));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(show: impl Fn(&mut Canvas<&mut Vec<u8>>)) -> String {
        let mut bytes = Vec::new();
        show(&mut Canvas::new(&mut bytes));
        String::from_utf8(bytes).unwrap().replace(BEGIN, "{").replace(END, "}")
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_block_is_written_over_line_by_line_and_never_cleared_first() {
        let frames = frames(|canvas| {
            canvas.show(&lines(&["one", "two"]), 80, 24).unwrap();
            canvas.show(&lines(&["three"]), 80, 24).unwrap();
        });
        assert_eq!(frames, "{\rone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J}{\r\x1b[2Athree\x1b[K\r\n\x1b[J}");
    }

    #[test]
    fn what_is_the_same_is_not_written_again() {
        let frames = frames(|canvas| {
            canvas.show(&lines(&["one"]), 80, 24).unwrap();
            canvas.show(&lines(&["one"]), 80, 24).unwrap();
        });
        assert_eq!(frames, "{\rone\x1b[K\r\n\x1b[J}");
    }

    #[test]
    fn each_line_takes_one_row_and_no_more_are_shown_than_there_are() {
        let shown = fitted(&lines(&["a long line", "b", "c", "d"]), 6, 4);
        assert_eq!(shown, ["a lon…", "b", "… and…"]);
        assert_eq!(fitted(&lines(&["a", "b", "c"]), 6, 4), ["a", "b", "c"]);
    }
}
