//! `cargo xtask sim`: a simulation that finds the interleavings nobody thought of.
//!
//! A fake host with a clock of its own drives the real supervisor; checkers that know only inputs,
//! actions and snapshots watch every call. Everything is drawn from one seed.

mod campaign;
mod checkers;
mod coverage;
mod episode;
mod exhaustive;
mod faults;
mod ledger;
mod moves;
mod options;
mod promises;
mod reading;
mod rng;
mod script;
mod settle;
mod setup;
mod shrink;
mod sometimes;
mod tally;
mod trace;
mod world;

use std::process::ExitCode;

/// A campaign found nothing, but has never seen something that it must come across.
pub(crate) const EXIT_TOO_KIND: u8 = 3;
/// The options cannot be meant.
pub(crate) const EXIT_USAGE: u8 = 2;
/// The core panicked.
pub(crate) const EXIT_CRASH: u8 = 127;
/// A slot did not settle once the faults stopped.
pub(crate) const EXIT_LIVENESS: u8 = 128;
/// A rule of the design is broken.
pub(crate) const EXIT_BROKEN: u8 = 129;

/// Runs a campaign as the options say. The exit code tells a crash, a broken rule and a liveness
/// failure apart.
pub(crate) fn sim(args: impl Iterator<Item = String>) -> ExitCode {
    let args: Vec<String> = args.collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{}", options::USAGE);
        return ExitCode::SUCCESS;
    }
    match options::parse(args.into_iter()) {
        Ok(options) => ExitCode::from(campaign::run(&options)),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}
