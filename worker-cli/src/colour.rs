//! Whether to use colours.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::OnceLock;

use clap::ValueEnum;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

/// What the command line said. It holds for the whole process.
static CHOICE: OnceLock<Colour> = OnceLock::new();

/// Keeps what the command line said. Only the first call counts.
pub(crate) fn choose(choice: Colour) {
    // A second command line in one process would be a test's.
    let _ = CHOICE.set(choice);
}

/// Whether what is written there may be coloured.
pub(crate) fn is_on(stream: &impl IsTerminal) -> bool {
    let choice = CHOICE.get().copied().unwrap_or_default();
    let variable = |name: &str| std::env::var_os(name);
    let (no_color, term) = (variable("NO_COLOR"), variable("TERM"));
    decide(choice, stream.is_terminal(), no_color.as_deref(), term.as_deref())
}

/// See no-color.org: any value of `NO_COLOR` but the empty one counts.
fn decide(
    choice: Colour,
    is_terminal: bool,
    no_color: Option<&OsStr>,
    term: Option<&OsStr>,
) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            is_terminal && no_color.is_none_or(OsStr::is_empty) && term != Some(OsStr::new("dumb"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_over_the_variable_which_wins_over_the_terminal() {
        let one = Some(OsStr::new("1"));
        assert!(decide(Colour::Always, false, one, None));
        assert!(!decide(Colour::Never, true, None, None));
        assert!(decide(Colour::Auto, true, None, Some(OsStr::new("xterm"))));
        assert!(decide(Colour::Auto, true, Some(OsStr::new("")), None), "empty counts for nothing");
        assert!(!decide(Colour::Auto, true, one, None));
        assert!(!decide(Colour::Auto, false, None, None));
        assert!(!decide(Colour::Auto, true, None, Some(OsStr::new("dumb"))));
    }
}
