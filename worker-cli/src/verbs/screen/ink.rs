//! The few colours there are.

use crate::api::State;

/// How a word looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As the terminal writes.
    #[default]
    Plain,
    /// Stands out.
    Bold,
    /// Stands back.
    Dim,
    /// Well.
    Green,
    /// On its way.
    Yellow,
    /// Not well.
    Red,
    /// The names of several slots, told apart by number.
    Slot(usize),
}

/// Paints words, or leaves them as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    is_on: bool,
}

/// Cyan, yellow, green, magenta, blue, and their bright ones: readable on light and dark.
const SLOTS: [&str; 8] = ["36", "33", "32", "35", "34", "96", "95", "94"];

impl Paint {
    /// With colours or without.
    pub(crate) fn new(is_on: bool) -> Self {
        Self { is_on }
    }

    /// Whether there are colours.
    pub(crate) fn is_on(self) -> bool {
        self.is_on
    }

    /// The text in this ink.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        match code(ink).filter(|_| self.is_on && !text.is_empty()) {
            Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }

    /// Stands out.
    pub(crate) fn bold(self, text: &str) -> String {
        self.ink(Ink::Bold, text)
    }

    /// Stands back.
    pub(crate) fn dim(self, text: &str) -> String {
        self.ink(Ink::Dim, text)
    }
}

fn code(ink: Ink) -> Option<&'static str> {
    Some(match ink {
        Ink::Plain => return None,
        Ink::Bold => "1",
        Ink::Dim => "2",
        Ink::Green => "32",
        Ink::Yellow => "33",
        Ink::Red => "31",
        Ink::Slot(number) => SLOTS[number % SLOTS.len()],
    })
}

/// How a state looks.
pub(crate) fn state_ink(state: State) -> Ink {
    match state {
        State::Running => Ink::Green,
        State::Starting | State::Restarting | State::Stopping => Ink::Yellow,
        State::Error | State::Failed => Ink::Red,
        State::Stopped => Ink::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_nothing_is_added() {
        assert_eq!(Paint::new(false).ink(Ink::Red, "failed"), "failed");
        assert_eq!(Paint::new(true).ink(Ink::Red, "failed"), "\x1b[31mfailed\x1b[0m");
        assert_eq!(Paint::new(true).ink(Ink::Plain, "text"), "text");
        assert_eq!(Paint::new(true).bold(""), "");
    }
}
