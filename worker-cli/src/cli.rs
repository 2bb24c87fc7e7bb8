//! From the words of the command line to an exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Cli, Verb};
use crate::colour;
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::voice::{Style, failure_line};

/// Runs `worker` with the words of the command line, the program's name included.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let json = asks_for_json(&words);
    match Cli::try_parse_from(words) {
        Ok(cli) => {
            colour::choose(cli.color);
            carry_out(cli.verb, json)
        }
        Err(help) if !help.use_stderr() => print(&help, exit_code::DONE),
        Err(help) if help.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            print(&help, exit_code::USAGE)
        }
        Err(error) => finish(Err(usage(&error)), json),
    }
}

/// Answers a shell that asks what could be typed next, before anything else is done; none if none
/// asks.
#[cfg(unix)]
pub fn complete_if_asked(words: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    crate::verbs::completions::answer_if_asked(words.into_iter().collect()).map(ExitCode::from)
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
    use crate::verbs::*;

    let outcome = match verb {
        Verb::Agent { role } => return crate::demo::agent::play(role),
        Verb::Run(args) => crate::run::run(*args),
        Verb::Demo => crate::demo::run(),
        Verb::Daemon(args) => daemon::run(*args),
        Verb::Up(args) => up::run(&args),
        Verb::Down(args) => down::run(&args),
        Verb::Start(args) => start::run(start::Change::Start, &args),
        Verb::Stop(args) => start::run(start::Change::Stop, &args),
        Verb::Restart(args) => start::run(start::Change::Restart, &args),
        Verb::Reset(args) => reset::reset(&args),
        Verb::Touch(args) => reset::touch(&args),
        Verb::Status(args) => status::run(&args),
        Verb::Logs(args) => logs::run(&args),
        Verb::Why(args) => why::run(&args),
        Verb::Events(args) => events::run(&args),
        Verb::Wait(args) => wait::run(&args),
        Verb::Env(args) => env::run(&args),
        Verb::Ports(args) => ports::run(&args),
        Verb::Config(args) => config::run(&args),
        Verb::Doctor(args) => doctor::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Manuals(args) => completions::manuals(&args),
    };
    finish(outcome, json)
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
    let text = error.to_string();
    let text = text.trim_start_matches("error: ").trim_end();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let verb = verb_of(text);
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return missing(error, &verb);
    }
    let tip = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let hint = tip.map(str::to_owned).or_else(|| hint(error, &verb));
    Failure { hint, ..Failure::new(Code::Usage, message) }
}

/// `worker run`: the words of the usage line up to the first placeholder.
fn verb_of(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let words = usage.unwrap_or("worker").split(' ');
    let words = words.take_while(|word| word.starts_with(|sign: char| sign.is_ascii_lowercase()));
    words.collect::<Vec<_>>().join(" ")
}

fn missing(error: &clap::Error, verb: &str) -> Failure {
    if verb == "worker run" {
        return Failure::new(Code::Usage, "there is no command to run")
            .hint("put it after `--`: worker run -- node server.js");
    }
    let missing = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.join(" "),
        _ => "something".to_owned(),
    };
    Failure::new(Code::Usage, format!("{verb} needs {missing}"))
        .hint(format!("`{verb} --help` has examples"))
}

fn hint(error: &clap::Error, verb: &str) -> Option<String> {
    let kind = error.kind();
    if matches!(kind, ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        // The message says what would do.
        return None;
    }
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if kind == ErrorKind::UnknownArgument => {
            Some(match (verb, word.starts_with('-')) {
                ("worker run", true) => "`worker run --help` lists the options; those of the \
                    command come after `--`"
                    .to_owned(),
                ("worker run", false) => {
                    format!("the command comes after `--`: worker run -- {word} …")
                }
                _ => format!("`{verb} --help` lists what it takes"),
            })
        }
        _ => Some("see `worker --help`".to_owned()),
    }
}
