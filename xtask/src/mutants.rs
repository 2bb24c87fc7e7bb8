//! Mutation testing of `worker-core`: which changes of it would no test notice?
//!
//! `cargo-mutants` (install it with `cargo install cargo-mutants`) makes the changes, as
//! `.cargo/mutants.toml` says. What it misses must stand in `xtask/mutants.txt`, with a reason, and
//! what stands there must be missed. Takes about twenty minutes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::cargo::{Cargo, root, target_folder};
use crate::step::{Passed, Step, StepResult};

/// The step.
pub(crate) const STEP: Step = Step { name: "mutants", run };

const REASONS: &str = "xtask/mutants.txt";

/// What `cargo mutants` ends with when it missed something.
const MISSED: &str = "exit status: 2";

fn run() -> StepResult {
    if Cargo::new("mutants --version").stdout().is_err() {
        let mend = "cargo-mutants is not installed: cargo install cargo-mutants";
        return Ok(Passed::Skipped(mend.to_owned()));
    }
    let output = target_folder();
    let call = Cargo::new(&format!("mutants -p worker-core -o {}", output.display()));
    if let Err(failure) = call.run()
        && !failure.report.contains(MISSED)
    {
        return Err(failure);
    }
    let outcome = Outcome::read(&output.join("mutants.out"))
        .map_err(|error| call.failure(&format!("its result cannot be read: {error}")))?;
    let reasoned = fs::read_to_string(root().join(REASONS)).unwrap_or_default();
    let faults = outcome.faults(&reasoned);
    if faults.is_empty() {
        return Ok(Passed::Ok(outcome.summary()));
    }
    Err(call.failure(&format!("{}\n{}", outcome.summary(), faults.join("\n"))))
}

struct Outcome {
    caught: Vec<String>,
    missed: Vec<String>,
    timeout: Vec<String>,
    unviable: Vec<String>,
}

impl Outcome {
    fn read(folder: &Path) -> std::io::Result<Self> {
        let lines = |name: &str| {
            let text = fs::read_to_string(folder.join(name))?;
            Ok::<_, std::io::Error>(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        Ok(Self {
            caught: lines("caught.txt")?,
            missed: lines("missed.txt")?,
            timeout: lines("timeout.txt")?,
            unviable: lines("unviable.txt")?,
        })
    }

    fn summary(&self) -> String {
        let Self { caught, missed, timeout, unviable } = self;
        format!(
            "{} caught, {} more by a timeout, {} missed, {} unviable",
            caught.len(),
            timeout.len(),
            missed.len(),
            unviable.len()
        )
    }

    /// What is missed without a reason, and what has a reason and is not missed.
    fn faults(&self, reasoned: &str) -> Vec<String> {
        let missed: BTreeSet<_> = self.missed.iter().map(|mutant| without_place(mutant)).collect();
        let reasoned: BTreeSet<_> = reasoned
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let unreasoned = missed.difference(&reasoned).map(|mutant| format!("missed: {mutant}"));
        let needless = reasoned.difference(&missed);
        let needless = needless.map(|mutant| format!("in {REASONS}, and not missed: {mutant}"));
        unreasoned.chain(needless).collect()
    }
}

/// `core/src/time.rs:36:9: replace …` without line and column, which move.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.nth(2)) {
        (Some(file), Some(change)) => format!("{file}:{change}"),
        _ => mutant.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(missed: &[&str]) -> Outcome {
        let missed = missed.iter().map(|&mutant| mutant.to_owned()).collect();
        Outcome { caught: Vec::new(), missed, timeout: Vec::new(), unviable: Vec::new() }
    }

    #[test]
    fn what_is_missed_needs_a_reason_and_what_has_one_must_be_missed() {
        let outcome = outcome(&["core/a.rs:1:2: replace a -> b", "core/a.rs:3:4: replace c::d"]);
        let reasons = "# Why.\n\ncore/a.rs: replace c::d\ncore/a.rs: replace e\n";
        assert_eq!(
            outcome.faults(reasons),
            [
                "missed: core/a.rs: replace a -> b",
                "in xtask/mutants.txt, and not missed: core/a.rs: replace e",
            ]
        );
        assert!(outcome.faults("core/a.rs: replace a -> b\ncore/a.rs: replace c::d").is_empty());
    }
}
