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
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    copy(&cargo::released_worker(), folder)?;
    DOCUMENTS.iter().try_for_each(|document| copy(&cargo::root().join(document), folder))
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
