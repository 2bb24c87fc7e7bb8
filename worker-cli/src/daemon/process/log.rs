//! What a daemon says.

use std::io::{self, Write};

use jiff::Timestamp;

use crate::voice::{Style, Voice};

/// A voice on stderr. In a log each line begins with its time.
pub(super) fn voice(style: Style, is_log: bool) -> io::Result<Voice> {
    if is_log { Voice::to(style, Timed(io::stderr())) } else { Voice::on_stderr(style) }
}

/// What is written at once is one line.
struct Timed<W>(W);

impl<W: Write> Write for Timed<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut text = format!("{:.3} ", Timestamp::now()).into_bytes();
        text.extend_from_slice(line);
        self.0.write_all(&text).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_log_begins_with_its_time() {
        let mut written = Vec::new();
        Timed(&mut written).write_all(b"worker: up\n").unwrap();
        let text = String::from_utf8(written).unwrap();
        let (time, rest) = text.split_once(' ').unwrap();
        time.parse::<Timestamp>().unwrap();
        assert_eq!(rest, "worker: up\n");
    }
}
