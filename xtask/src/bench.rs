//! `cargo xtask bench`: how fast it is, as ratios. No test asserts a time; this only prints.

use std::fs;
use std::process::ExitCode;

use serde_json::Value;

use crate::cargo::{self, Cargo};
use crate::step::{self, Passed, Step, StepResult};

const STEPS: &[Step] = &[
    Step { name: "reducer", run: reducer },
    Step { name: "respawn", run: respawn },
    Step { name: "spawn", run: spawn },
    Step { name: "emptying", run: emptying },
    Step { name: "guardian", run: guardian },
    Step { name: "output", run: output },
    Step { name: "readiness", run: readiness },
    Step { name: "slots", run: slots },
];

/// How many inputs a second the reducer is to take on one core.
const INPUTS_PER_SECOND: f64 = 5e6;

/// Runs the named benches, or all if none is named, in a release build.
pub(crate) fn run(names: &[String]) -> ExitCode {
    step::run_named(STEPS, names)
}

fn reducer() -> StepResult {
    let call = Cargo::new("bench --package worker-core --bench lives");
    let printed = call.run()?;
    let rate = inputs_per_second().ok_or_else(|| call.failure("criterion left no estimate"))?;
    let ratio = rate / INPUTS_PER_SECOND;
    let allocations = results(&printed).next().ok_or_else(|| call.failure(&printed))?;
    let rate = rate / 1e6;
    let speed = format!(
        "{rate:.1} million inputs/s with 1,000 slots; ratio {ratio:.2} to the aim of 5 million"
    );
    Ok(Passed::Ok(below_each_other(&[&speed, allocations])))
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
    run_bench("worker-cli", "respawn")
}

fn spawn() -> StepResult {
    run_bench("worker-platform-unix", "spawn")
}

fn emptying() -> StepResult {
    run_bench("worker-platform-unix", "emptying")
}

fn guardian() -> StepResult {
    run_bench("worker-cli", "guardian")
}

fn output() -> StepResult {
    run_bench("worker-cli", "output")
}

fn readiness() -> StepResult {
    run_bench("worker-cli", "readiness")
}

fn slots() -> StepResult {
    run_bench("worker-cli", "slots")
}

/// Runs a bench that prints its results itself, or why it was skipped.
fn run_bench(package: &str, bench: &str) -> StepResult {
    let call = Cargo::new(&format!("bench --package {package} --bench {bench}"));
    let printed = call.run()?;
    if let Some(reason) = printed.lines().find_map(|line| line.strip_prefix("skipped: ")) {
        return Ok(Passed::Skipped(reason.to_owned()));
    }
    let results: Vec<_> = results(&printed).collect();
    if results.is_empty() {
        return Err(call.failure(&printed));
    }
    Ok(Passed::Ok(below_each_other(&results)))
}

/// The lines by which a bench of ours tells its results.
fn results(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter_map(|line| line.strip_prefix("=> "))
}

/// In the column of the notes.
fn below_each_other(notes: &[&str]) -> String {
    notes.join(&format!("\n{:29}", ""))
}
