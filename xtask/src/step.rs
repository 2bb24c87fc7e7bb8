//! Steps: each prints one line, and the first that fails ends the run.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use crate::EXIT_USAGE;

/// Something to check or to make.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// One word, by which a person can ask for it.
    pub(crate) name: &'static str,
    /// Does it.
    pub(crate) run: fn() -> StepResult,
}

/// What became of a step.
pub(crate) type StepResult = Result<Passed, Failure>;

/// A step that did not fail.
pub(crate) enum Passed {
    /// It passed, with something worth knowing or nothing.
    Ok(String),
    /// The machine lacks the means; the text says which, and how to get them.
    Skipped(String),
}

/// A step that failed.
pub(crate) struct Failure {
    /// What is wrong, for a person.
    pub(crate) report: String,
    /// The command that shows it again.
    pub(crate) repeat: String,
}

#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
}

/// Runs the named steps, or all if none is named, as [`run_all`] does.
pub(crate) fn run_named(steps: &[Step], names: &[String]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| steps.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = steps.iter().map(|step| step.name).collect();
        eprintln!("error: there is no step `{unknown}`; the steps are {}", known.join(", "));
        return ExitCode::from(EXIT_USAGE);
    }
    let is_wanted = |step: &Step| names.is_empty() || names.iter().any(|name| name == step.name);
    let wanted: Vec<Step> = steps.iter().copied().filter(is_wanted).collect();
    run_all(&wanted)
}

/// Runs the steps in order until one fails, then prints the sum as the last line.
pub(crate) fn run_all(steps: &[Step]) -> ExitCode {
    let mut tally = Tally::default();
    for step in steps {
        tally.count(&run(step));
        if tally.failed > 0 {
            break;
        }
    }
    println!("{}", tally.summary());
    if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(step: &Step) -> StepResult {
    print!("{:<10} ", step.name);
    // A closed stdout is no reason to stop checking.
    let _ = io::stdout().flush();
    let begun = Instant::now();
    let result = (step.run)();
    let seconds = begun.elapsed().as_secs_f64();
    match &result {
        Ok(Passed::Ok(note)) => {
            println!("{}", format!("ok      {seconds:6.1} s  {note}").trim_end())
        }
        Ok(Passed::Skipped(reason)) => println!("skipped           {reason}"),
        Err(failure) => println!("FAILED  {seconds:6.1} s\n\n{}", failure.text()),
    }
    result
}

impl Failure {
    fn text(&self) -> String {
        format!("{}\n\nrepeat it: {}\n", self.report.trim_end(), self.repeat)
    }
}

impl Tally {
    fn count(&mut self, result: &StepResult) {
        match result {
            Ok(Passed::Ok(_)) => self.passed += 1,
            Ok(Passed::Skipped(_)) => self.skipped += 1,
            Err(_) => self.failed += 1,
        }
    }

    fn summary(&self) -> String {
        let mut line = format!("steps: {} passed, {} failed", self.passed, self.failed);
        if self.skipped > 0 {
            let _ = write!(line, ", {} skipped", self.skipped);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_passed_failed_and_was_skipped() {
        let mut tally = Tally::default();
        tally.count(&Ok(Passed::Ok(String::new())));
        assert_eq!(tally.summary(), "steps: 1 passed, 0 failed");
        tally.count(&Ok(Passed::Skipped("no means".to_owned())));
        tally.count(&Err(Failure { report: String::new(), repeat: String::new() }));
        assert_eq!(tally.summary(), "steps: 1 passed, 1 failed, 1 skipped");
    }
}
