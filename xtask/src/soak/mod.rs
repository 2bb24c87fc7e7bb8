//! `cargo xtask soak [RUNS]`: after thousands of runs of a crash loop, `worker run` is as small as it
//! was after a hundred. Reads it all from `/proc`, so Linux only.

mod crash_loop;
mod process;
mod verdict;

use std::process::ExitCode;

use self::crash_loop::CrashLoop;
use self::process::Reading;
use crate::EXIT_USAGE;
use crate::cargo::{self, Cargo};

const RUNS: u32 = 10_000;

/// By then everything was needed once.
const WARM_UP: u32 = 100;

/// What the two processes of `worker run` held at one moment.
struct Figures {
    supervisor: Reading,
    guardian: Reading,
}

/// Soaks, prints the figures, and fails if one has grown.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let Some(runs) = runs(args) else {
        eprintln!("error: RUNS is a number above {WARM_UP}\n\nusage: cargo xtask soak [RUNS]");
        return ExitCode::from(EXIT_USAGE);
    };
    if !cfg!(target_os = "linux") {
        println!("skipped: the figures are read from /proc, which only Linux has");
        return ExitCode::SUCCESS;
    }
    if let Err(failure) = Cargo::new("build --release --package worker-cli").run() {
        eprintln!("{}\n\nrepeat it: {}", failure.report, failure.repeat);
        return ExitCode::FAILURE;
    }
    match soak(runs) {
        Ok((before, after)) => verdict::tell(WARM_UP, &before, runs, &after),
        Err(error) => {
            eprintln!("error: the soak was not finished: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runs(args: &[String]) -> Option<u32> {
    match args {
        [] => Some(RUNS),
        [runs] => runs.parse().ok().filter(|&runs| runs > WARM_UP),
        _ => None,
    }
}

fn soak(runs: u32) -> std::io::Result<(Figures, Figures)> {
    let mut crash_loop = CrashLoop::start(&cargo::released_worker())?;
    crash_loop.go_on_to(WARM_UP)?;
    let before = crash_loop.figures()?;
    crash_loop.go_on_to(runs)?;
    let after = crash_loop.figures()?;
    crash_loop.end()?;
    Ok((before, after))
}
