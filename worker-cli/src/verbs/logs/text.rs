//! Lines of output as a person reads them.

use crate::logs::LogLine;
use crate::verbs::screen::{Ink, Page, safe_for_terminals};

/// How lines are shown.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    page: Page,
    /// The slots that are shown, in order.
    slots: Vec<String>,
    /// Whether each line names its own.
    names_slots: bool,
    /// Whether what could change the terminal is left out.
    is_terminal: bool,
}

impl Layout {
    /// For lines of these slots, by their names in full. With several, each line names its own.
    pub(super) fn new(page: Page, slots: Vec<String>, is_terminal: bool) -> Self {
        let names_slots = slots.len() > 1;
        Self { page, slots, names_slots, is_terminal }
    }

    /// The same, where slots may still come.
    pub(super) fn growing(self) -> Self {
        Self { names_slots: true, ..self }
    }

    /// `07:09:00.123 shop/api out  listening`.
    pub(super) fn line(&mut self, line: &LogLine) -> String {
        match line {
            LogLine::Line { slot, time, stream, line, .. } => {
                let text = self.text(line);
                format!("{}{} {text}", self.head(slot, time), self.stream(stream))
            }
            LogLine::Mark { slot, time, mark, bytes } => {
                let mark = format!("--- {bytes} bytes {}", meaning(mark));
                format!("{}{}", self.head(slot, time), self.page.paint.ink(Ink::Red, &mark))
            }
        }
    }

    fn head(&mut self, slot: &str, time: &str) -> String {
        let time = self.page.paint.dim(&self.page.clock.time(time));
        if !self.names_slots {
            return format!("{time} ");
        }
        let number = self.number(slot);
        let widest = self.slots.iter().map(|slot| slot.chars().count()).max().unwrap_or_default();
        let name = self.page.paint.ink(Ink::Slot(number), &format!("{slot:<widest$}"));
        format!("{time} {name} ")
    }

    /// One that is new comes last, so that the others keep their colours.
    fn number(&mut self, slot: &str) -> usize {
        let known = self.slots.iter().position(|known| known == slot);
        known.unwrap_or_else(|| {
            self.slots.push(slot.to_owned());
            self.slots.len() - 1
        })
    }

    fn stream(&self, stream: &str) -> String {
        match stream {
            "stdout" => self.page.paint.dim("out"),
            "stderr" => self.page.paint.ink(Ink::Yellow, "err"),
            _ => self.page.paint.dim("pre"),
        }
    }

    /// Elsewhere than on a terminal exactly what was written.
    fn text(&self, line: &str) -> String {
        if !self.is_terminal {
            return line.to_owned();
        }
        let safe = safe_for_terminals(line);
        if safe.contains('\x1b') { safe + "\x1b[0m" } else { safe }
    }
}

fn meaning(mark: &str) -> &str {
    match mark {
        "dropped" => "of output could not be written here (was the disk full?)",
        "gone" => "of output were deleted before they could be read",
        "damaged" => "of the log are damaged",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::verbs::screen::Paint;

    fn lines(slots: &[&str], page: Page) -> String {
        let line = |slot: &str, stream: &str, line: &str| LogLine::Line {
            slot: slot.to_owned(),
            time: "2026-11-22T07:09:00.123Z".to_owned(),
            run: 2,
            stream: stream.to_owned(),
            line: line.to_owned(),
            cut: false,
        };
        let mark = LogLine::Mark {
            slot: "shop/web".to_owned(),
            time: "2026-11-21T07:09:00.123Z".to_owned(),
            mark: "dropped".to_owned(),
            bytes: 4096,
        };
        let lines = [
            line("shop/api", "stdout", "\x1b[32mlistening\x1b[2J"),
            line("shop/web", "stderr", "oops"),
            line("shop/web", "prepare", "Cloning into '.'..."),
            mark,
        ];
        let mut layout = Layout::new(page, slots.iter().map(|it| (*it).to_owned()).collect(), true);
        let lines: Vec<String> = lines.iter().map(|line| layout.line(line)).collect();
        lines.join("\n").replace('\x1b', "^")
    }

    #[test]
    fn of_one_slot() {
        assert_snapshot!(lines(&["shop/api"], Page::for_tests()));
    }

    #[test]
    fn of_several_slots_each_line_names_its_own() {
        assert_snapshot!(lines(&["shop/api", "shop/web"], Page::for_tests()));
    }

    #[test]
    fn in_colours() {
        let page = Page { paint: Paint::new(true), ..Page::for_tests() };
        assert_snapshot!(lines(&["shop/api", "shop/web"], page));
    }

    #[test]
    fn a_slot_that_comes_later_is_named_too() {
        let mut layout = Layout::new(Page::for_tests(), Vec::new(), false).growing();
        let mut head = |slot| layout.head(slot, "2026-11-22T07:09:00.123Z");
        assert_eq!(head("shop/agent@1"), "07:09:00.123 shop/agent@1 ");
        assert_eq!(head("shop/api"), "07:09:00.123 shop/api     ");
    }

    #[test]
    fn elsewhere_than_on_a_terminal_lines_are_as_they_were_written() {
        let layout = Layout::new(Page::for_tests(), Vec::new(), false);
        assert_eq!(layout.text("a\tb\x1b[2J"), "a\tb\x1b[2J");
    }
}
