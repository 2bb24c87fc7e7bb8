//! From the words of the command line to an exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Cli, Verb};
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::voice::{Style, failure_line};

/// Runs `worker` with the words of the command line, the program's name included.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let json = asks_for_json(&words);
    match Cli::try_parse_from(words) {
        Ok(cli) => carry_out(cli.verb, json),
        Err(help) if !help.use_stderr() => print(&help, exit_code::DONE),
        Err(help) if help.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            print(&help, exit_code::USAGE)
        }
        Err(error) => finish(Err(usage(&error)), json),
    }
}

/// Where the words ask for a scope of systemd's, executes this program anew in one. Answers the exit
/// code if that failed; none if nothing was asked for.
#[cfg(unix)]
pub fn enter_scope(words: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let words: Vec<OsString> = words.into_iter().collect();
    let entered = crate::scope::enter_if_asked(&words);
    entered.err().map(|failure| finish(Err(failure), asks_for_json(&words)))
}

#[cfg(unix)]
fn carry_out(verb: Verb, json: bool) -> ExitCode {
    match verb {
        Verb::Run(args) => finish(crate::run::run(*args), json),
        Verb::Config(args) => finish(crate::verbs::config::run(&args), json),
        Verb::Doctor(args) => finish(crate::verbs::doctor::run(&args), json),
        Verb::Demo => finish(crate::demo::run(), json),
        Verb::Daemon(args) => finish(crate::verbs::daemon::run(*args), json),
        Verb::Agent { role } => crate::demo::agent::play(role),
    }
}

#[cfg(not(unix))]
fn carry_out(verb: Verb, json: bool) -> ExitCode {
    let elsewhere = || {
        let failure = Failure::new(Code::Failed, "`worker` does not run on this system yet");
        failure.hint("it runs on Linux and macOS")
    };
    match verb {
        Verb::Config(args) => finish(crate::verbs::config::run(&args), json),
        Verb::Run(_) | Verb::Doctor(_) | Verb::Demo | Verb::Daemon(_) | Verb::Agent { .. } => {
            finish(Err(elsewhere()), json)
        }
    }
}

fn print(help: &clap::Error, code: u8) -> ExitCode {
    // A reader that has seen enough is not an error.
    drop(help.print());
    ExitCode::from(code)
}

fn finish(outcome: Result<u8, Failure>, json: bool) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let line = failure_line(Style { quiet: false, json }, &failure);
            // Nowhere is left to say that stderr cannot be written.
            drop(writeln!(std::io::stderr(), "{line}"));
            ExitCode::from(failure.code.exit_code())
        }
    }
}

/// Also when the command line cannot be parsed.
pub(crate) fn asks_for_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

fn usage(error: &clap::Error) -> Failure {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return no_command();
    }
    let text = error.to_string();
    let text = text.trim_start_matches("error: ").trim_end();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let tip = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let hint = tip.map(str::to_owned).or_else(|| hint(error));
    Failure { hint, ..Failure::new(Code::Usage, message) }
}

fn no_command() -> Failure {
    Failure::new(Code::Usage, "there is no command to run")
        .hint("put it after `--`: worker run -- node server.js")
}

fn hint(error: &clap::Error) -> Option<String> {
    let kind = error.kind();
    if matches!(kind, ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        // The message says what would do.
        return None;
    }
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if kind == ErrorKind::UnknownArgument => {
            Some(if word.starts_with('-') {
                "`worker run --help` lists the options; those of the command come after `--`".into()
            } else {
                format!("the command comes after `--`: worker run -- {word} …")
            })
        }
        _ => Some("see `worker --help`".to_owned()),
    }
}
