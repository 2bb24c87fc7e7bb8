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

/// Without cgroups, and with one for each run where that can be.
const CGROUP: [&str; 2] = ["--cgroup=never", "--cgroup=auto"];

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
    match soak_each_tier(runs) {
        Ok(has_grown) => verdict::tell(has_grown),
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

/// Whether anything has grown.
fn soak_each_tier(runs: u32) -> std::io::Result<bool> {
    let mut has_grown = false;
    for cgroup in CGROUP {
        let (before, after) = soak(cgroup, runs)?;
        println!("{cgroup:34}{WARM_UP:>10}{runs:>10}  runs");
        has_grown |= verdict::table("supervisor", &before.supervisor, &after.supervisor);
        has_grown |= verdict::table("guardian", &before.guardian, &after.guardian);
    }
    Ok(has_grown)
}

fn soak(cgroup: &str, runs: u32) -> std::io::Result<(Figures, Figures)> {
    let mut crash_loop = CrashLoop::start(&cargo::released_worker(), cgroup)?;
    crash_loop.go_on_to(WARM_UP)?;
    let before = crash_loop.figures()?;
    crash_loop.go_on_to(runs)?;
    let after = crash_loop.figures()?;
    crash_loop.end()?;
    Ok((before, after))
}
