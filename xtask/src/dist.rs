//! `cargo xtask dist`: the files of a release, in a folder and packed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::{self, Cargo};
use crate::step::{Failure, Passed, Step, StepResult};

/// The step.
pub(crate) const STEP: Step = Step { name: "dist", run };

/// What goes along with the program.
const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "LICENSE"];

/// Shells, and the files that they look for.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "worker.bash"),
    ("elvish", "worker.elv"),
    ("fish", "worker.fish"),
    ("powershell", "_worker.ps1"),
    ("zsh", "_worker"),
];

fn run() -> StepResult {
    Cargo::new("build --release --locked --package worker-cli").run()?;
    let name = format!("worker-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
    let dist = cargo::target_folder().join("dist");
    let folder = dist.join(&name);
    fill(&folder).map_err(|error| failure(&error))?;
    pack(&dist, &name)?;
    Ok(Passed::Ok(dist.join(name + ".tar.gz").display().to_string()))
}

fn fill(folder: &Path) -> Result<(), String> {
    make(folder)?;
    copy(&cargo::released_worker(), folder)?;
    DOCUMENTS.iter().try_for_each(|document| copy(&cargo::root().join(document), folder))?;
    complete(&folder.join("completions"))?;
    explain(&folder.join("man/man1"))
}

/// What makes shells complete the words of the command line.
fn complete(folder: &Path) -> Result<(), String> {
    make(folder)?;
    COMPLETIONS.iter().try_for_each(|(shell, file)| {
        let file = folder.join(file);
        let script = worker(&["completions", shell])?;
        fs::write(&file, script).map_err(|error| format!("{}: {error}", file.display()))
    })
}

/// The manual pages.
fn explain(folder: &Path) -> Result<(), String> {
    make(folder)?;
    worker(&["__manuals", &folder.to_string_lossy()]).map(drop)
}

/// What the released program prints.
fn worker(words: &[&str]) -> Result<Vec<u8>, String> {
    let call = || format!("worker {}", words.join(" "));
    let output = Command::new(cargo::released_worker()).args(words).output();
    let output = output.map_err(|error| format!("{}: {error}", call()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{}: {}", call(), String::from_utf8_lossy(&output.stderr)))
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, folder.join(name))
        .map(|_| ())
        .map_err(|error| format!("cannot copy {}: {error}", file.display()))
}

fn pack(dist: &Path, name: &str) -> Result<(), Failure> {
    let archive = format!("{name}.tar.gz");
    let tar = Command::new("tar").current_dir(dist).args(["-czf", &archive, name]).status();
    match tar {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failure(&format!("tar ended with {status}"))),
        Err(error) => Err(failure(&format!("tar cannot be run: {error}"))),
    }
}

/// The triple of this machine, as `cargo -vV` prints it: `host: x86_64-unknown-linux-gnu`.
fn host() -> Result<String, Failure> {
    let call = Cargo::new("-vV");
    let version = call.stdout()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| call.failure(&version))
}

fn failure(report: &str) -> Failure {
    Failure { report: report.to_owned(), repeat: "cargo xtask dist".to_owned() }
}
