//! `cargo xtask bench`: how fast it is, as ratios. No test asserts a time; this only prints.

use std::fs;
use std::process::ExitCode;

use serde_json::Value;

use crate::cargo::{self, Cargo};
use crate::step::{self, Passed, Step, StepResult};

const STEPS: &[Step] =
    &[Step { name: "reducer", run: reducer }, Step { name: "respawn", run: respawn }];

/// How many inputs a second the reducer is to take on one core.
const INPUTS_PER_SECOND: f64 = 5e6;

/// Runs the benches in a release build.
pub(crate) fn run() -> ExitCode {
    step::run_all(STEPS)
}

fn reducer() -> StepResult {
    let call = Cargo::new("bench --package worker-core --bench lives");
    let printed = call.run()?;
    let rate = inputs_per_second().ok_or_else(|| call.failure("criterion left no estimate"))?;
    let ratio = rate / INPUTS_PER_SECOND;
    let allocations = result(&printed).ok_or_else(|| call.failure(&printed))?;
    let rate = rate / 1e6;
    Ok(Passed::Ok(format!(
        "{rate:.1} million inputs/s with 1,000 slots; ratio {ratio:.2} to the aim of 5 million\n\
         {:20}{allocations}",
        ""
    )))
}

/// From what criterion keeps of its latest run.
fn inputs_per_second() -> Option<f64> {
    let folder = cargo::target_folder().join("criterion/reducer/lives of 1000 slots/new");
    let read = |file: &str| -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(folder.join(file)).ok()?).ok()
    };
    let nanos = read("estimates.json")?["median"]["point_estimate"].as_f64()?;
    let inputs = read("benchmark.json")?["throughput"]["Elements"].as_f64()?;
    Some(inputs / nanos * 1e9)
}

fn respawn() -> StepResult {
    let call = Cargo::new("bench --package worker-cli --bench respawn");
    let printed = call.run()?;
    if let Some(reason) = printed.lines().find_map(|line| line.strip_prefix("skipped: ")) {
        return Ok(Passed::Skipped(reason.to_owned()));
    }
    let report = result(&printed).ok_or_else(|| call.failure(&printed))?;
    Ok(Passed::Ok(report.to_owned()))
}

/// The line by which a bench of ours tells its result.
fn result(printed: &str) -> Option<&str> {
    printed.lines().find_map(|line| line.strip_prefix("=> "))
}
