//! The guardian: the small process that a user starts, which sees that nothing outlives it.
//!
//! ```text
//! shell ── worker run (guardian) ── worker run (supervisor, in its own group) ── the trees
//! ```
//!
//! The guardian has no runtime and parses no option. It passes on each signal of the job once, stops
//! when the supervisor has stopped (Ctrl-Z), and exits with the supervisor's code. Orphans of a
//! supervisor that is gone fall to it, and it ends them. If it is gone itself, the supervisor sees
//! the end of the `link` and shuts down in order.
//!
//! A process that is PID 1 needs no guardian: the kernel ends whatever it leaves behind.
//!
//! On macOS no orphan falls to a guardian. After a SIGKILL of the supervisor the trees live on
//! there, until the next start finds them.

mod guard;
mod link;
mod service;

use std::process::ExitCode;

use worker_platform_unix::guardian::{block_terminal_stops_only, is_inherited};

pub use self::link::{Guardian, Word};

use self::guard::Guard;
use crate::error::{Code, Failure};
use crate::voice::{Style, failure_line};

/// Tells a supervisor of its link to its guardian. Not for the processes of slots.
pub const VARIABLE: &str = "WORKER_GUARDIAN";

/// Verbs that supervise.
const SUPERVISING: [&str; 3] = ["run", "daemon", "demo"];

/// Makes this process the guardian of a supervisor where one is called for, and answers its exit
/// code when all is over. None in every other process: it goes on by itself.
#[must_use]
pub fn stand_guard() -> Option<ExitCode> {
    if !supervises(std::env::args_os()) {
        return None;
    }
    block_terminal_stops_only();
    if std::process::id() == 1 || is_inherited(VARIABLE) {
        return None;
    }
    match Guard::begin() {
        Ok(guard) => guard.map(|guard| ExitCode::from(guard.stand())),
        Err(error) => {
            guard::say(&failure_line(style(), &unguarded(&error)));
            None
        }
    }
}

/// Looks at the verb alone, which is the first word that is no option. A slot may be called `run`,
/// and a verb that does not supervise belongs into the foreground of its terminal.
fn supervises(words: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let mut verbs = words.skip(1).filter(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let verb = verbs.next();
    let mut is_installation = || verbs.next().is_some_and(|word| word == "install");
    verb.is_some_and(|verb| {
        SUPERVISING.iter().any(|supervising| verb == *supervising)
            && !(verb == "daemon" && is_installation())
    })
}

fn style() -> Style {
    let words: Vec<_> = std::env::args_os().collect();
    Style { quiet: false, json: crate::cli::asks_for_json(&words) }
}

fn unguarded(error: &std::io::Error) -> Failure {
    Failure::new(Code::Failed, format!("it goes on without a guardian process: {error}"))
        .hint("do not end it by SIGKILL: what it supervises would live on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verbs_that_supervise_get_a_guardian() {
        let supervises = |words: &str| supervises(words.split(' ').map(Into::into));
        for words in ["worker run -- sh", "worker --json run -- sh", "worker daemon", "worker demo"]
        {
            assert!(supervises(words), "{words}");
        }
        let others = [
            "worker",
            "worker status run",
            "run",
            "worker __agent daemon",
            "worker daemon install",
        ];
        for words in others {
            assert!(!supervises(words), "{words}");
        }
    }

    #[test]
    fn no_option_before_the_verb_has_a_value_that_could_be_taken_for_it() {
        use clap::CommandFactory;

        let cli = crate::args::Cli::command();
        // `--color=never` is fine, `--color never` is not.
        let takes_value =
            |arg: &&clap::Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
        assert!(cli.get_arguments().find(takes_value).is_none());
    }
}
