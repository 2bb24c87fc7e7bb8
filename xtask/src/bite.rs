//! `cargo xtask bite`: does the simulation catch faults of the reducer?
//!
//! Each patch in `xtask/bite/` is one hand-made fault. It is applied to a copy of the workspace,
//! whose simulation must then find it, name a fitting rule, and shrink it to a few steps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use crate::cargo;

/// A script that a person can follow.
const MOST_STEPS: usize = 12;

/// What is copied. Every member of the workspace is needed for cargo to load it.
const COPIED: [&str; 9] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "core",
    "platform-unix",
    "platform-windows",
    "worker-cli",
    "xtask",
];

/// Replays every fault, or those whose names hold one of the given words.
pub(crate) fn run(words: &[String]) -> ExitCode {
    match replay(words) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: the faults cannot be replayed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn replay(words: &[String]) -> io::Result<usize> {
    let root = cargo::root();
    let copy = root.join("target/bite/workspace");
    let (mut caught, mut missed) = (0, 0);
    for patch in patches(&root.join("xtask/bite"))? {
        let fault = Fault::read(&patch)?;
        if !words.is_empty() && !words.iter().any(|word| fault.name.contains(word)) {
            continue;
        }
        match fault.replay(root, &copy)? {
            Ok(found) => {
                caught += 1;
                println!("caught  {:<52} {found}", fault.name);
            }
            Err(why) => {
                missed += 1;
                println!("MISSED  {:<52} {why}", fault.name);
            }
        }
    }
    println!("faults: {caught} caught, {missed} missed");
    Ok(missed)
}

fn patches(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    Ok(patches)
}

/// A fault as its patch tells it.
struct Fault {
    name: String,
    patch: PathBuf,
    /// Names of rules that describe it well.
    fitting: Vec<String>,
}

impl Fault {
    fn read(patch: &Path) -> io::Result<Self> {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(patch)?;
        let rules = text.lines().find_map(|line| line.strip_prefix("rule: ")).unwrap_or_default();
        let fitting = rules.split(" | ").map(str::to_owned).collect();
        Ok(Self { name, patch: patch.to_owned(), fitting })
    }

    /// What the simulation found, or why it did not find it.
    fn replay(&self, root: &Path, copy: &Path) -> io::Result<Result<String, String>> {
        copy_workspace(root, copy)?;
        if !apply(&self.patch, copy)?.status.success() {
            return Ok(Err("the patch no longer applies: renew it".to_owned()));
        }
        let output = simulate(copy)?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = printed.lines().find_map(verdict);
        let steps = printed.lines().find_map(steps);
        if found.is_none() && !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(self.judge(found, steps))
    }

    fn judge(&self, found: Option<&str>, steps: Option<usize>) -> Result<String, String> {
        let (Some(found), Some(steps)) = (found, steps) else {
            return Err("the campaign passed".to_owned());
        };
        if !self.fitting.iter().any(|rule| rule == found) {
            return Err(format!("found as `{found}`"));
        }
        if steps > MOST_STEPS {
            return Err(format!("shrunk to {steps} steps only"));
        }
        Ok(format!("{steps:>2} steps  {found}"))
    }
}

/// `broken: grace is real (§5 rule 1)` names the rule.
fn verdict(line: &str) -> Option<&str> {
    let told =
        ["broken: ", "stuck: ", "crash: "].iter().find_map(|word| line.strip_prefix(word))?;
    Some(told.split_once(" (").map_or(told, |(rule, _)| rule))
}

/// `shrunk to 5 steps:` names the steps.
fn steps(line: &str) -> Option<usize> {
    line.strip_prefix("shrunk to ")?.strip_suffix(" steps:")?.parse().ok()
}

/// Files that did not change keep their time, so that cargo builds only what the fault touches.
fn copy_workspace(root: &Path, copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy)?;
    for name in COPIED {
        copy_changed(&root.join(name), &copy.join(name))?;
    }
    Ok(())
}

fn copy_changed(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        remove_others(from, to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_changed(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if from.exists() {
        let text = fs::read(from)?;
        if fs::read(to).is_ok_and(|present| present == text) {
            return Ok(());
        }
        fs::write(to, text)?;
    }
    Ok(())
}

/// What an earlier copy left behind.
fn remove_others(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if from.join(entry.file_name()).exists() {
            continue;
        }
        if entry.path().is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn apply(patch: &Path, copy: &Path) -> io::Result<Output> {
    Command::new("git").args(["apply", "-C1"]).arg(patch).current_dir(copy).output()
}

/// Built for a quick build: many short campaigns, of which each ends at its first finding.
fn simulate(copy: &Path) -> io::Result<Output> {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
        .args(["sim", "--seed", "1", "--lives", "100000"])
        .env("CARGO_TARGET_DIR", copy.join("../target"))
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .current_dir(copy)
        .output()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_names_its_rule_and_a_shrunk_script_its_steps() {
        assert_eq!(verdict("broken: grace is real (§5 rule 1)"), Some("grace is real"));
        assert_eq!(verdict("crash: the core panicked: at 1"), Some("the core panicked: at 1"));
        assert_eq!(verdict("seed 7"), None);
        assert_eq!(steps("shrunk to 5 steps:"), Some(5));
    }

    #[test]
    fn every_fault_names_a_fitting_rule() {
        let folder = cargo::root().join("xtask/bite");
        let faults: Vec<Fault> =
            patches(&folder).unwrap().iter().map(|patch| Fault::read(patch).unwrap()).collect();
        assert!(faults.len() >= 20);
        assert!(faults.iter().all(|fault| fault.fitting.iter().all(|rule| !rule.is_empty())));
    }
}
