//! `cargo xtask test`: every check there is.

use std::process::ExitCode;

use crate::cargo::Cargo;
use crate::step::{self, Passed, Step, StepResult};
use crate::{layers, purity, tidy};

/// The quick ones first.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: formatting },
    tidy::STEP,
    layers::STEP,
    Step { name: "licences", run: licences },
    purity::STEP,
    Step { name: "clippy", run: clippy },
    Step { name: "doc", run: documentation },
    Step { name: "tests", run: tests },
    #[cfg(target_os = "linux")]
    crate::zoo::STEP,
    Step { name: "sim", run: simulation },
];

/// Runs the named steps, or all if none is named.
pub(crate) fn run(names: &[String]) -> ExitCode {
    step::run_named(STEPS, names)
}

fn formatting() -> StepResult {
    Cargo::new("fmt --all --check").run().map(|_| Passed::Ok(String::new()))
}

fn clippy() -> StepResult {
    Cargo::new("clippy --workspace --all-targets --all-features -- -D warnings")
        .run()
        .map(|_| Passed::Ok(String::new()))
}

fn documentation() -> StepResult {
    Cargo::new("doc --workspace --no-deps --all-features")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
        .map(|_| Passed::Ok(String::new()))
}

fn licences() -> StepResult {
    if Cargo::new("deny --version").stdout().is_err() {
        let reason = "cargo-deny is not installed: cargo install --locked cargo-deny";
        return Ok(Passed::Skipped(reason.to_owned()));
    }
    Cargo::new("deny check licenses bans sources").run().map(|_| Passed::Ok(String::new()))
}

/// All features, since fixtures and mocks are behind some.
fn tests() -> StepResult {
    let call = Cargo::new("test --workspace --all-features");
    let counts = Counts::read(&call.run()?);
    if counts.passed == 0 {
        return Err(call.failure("not one test was run"));
    }
    Ok(Passed::Ok(format!("{} tests, {} ignored", counts.passed, counts.ignored)))
}

/// A campaign of the default size, optimised: it lives so many lives that building it so pays.
fn simulation() -> StepResult {
    let printed = Cargo::new("run --release --package xtask -- sim").run()?;
    let extent = printed.lines().find(|line| line.contains(" worlds, "));
    Ok(Passed::Ok(extent.unwrap_or_default().to_owned()))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    ignored: u32,
}

impl Counts {
    /// Adds up lines like `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn read(printed: &str) -> Self {
        let mut counts = Self::default();
        for line in printed.lines().filter_map(|line| line.strip_prefix("test result: ok. ")) {
            for part in line.split("; ") {
                match part.split_once(' ') {
                    Some((n, "passed")) => counts.passed += n.parse().unwrap_or(0),
                    Some((n, "ignored")) => counts.ignored += n.parse().unwrap_or(0),
                    _ => {}
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_every_binary_are_added_up() {
        let printed = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished\n\
            test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished\n";
        assert_eq!(Counts::read(printed), Counts { passed: 7, ignored: 1 });
    }
}
