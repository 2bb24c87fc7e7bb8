//! Calls of cargo: what they print goes to a log, which is shown if they fail.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde_json::Value;

use crate::step::Failure;

/// One call of cargo.
pub(crate) struct Cargo {
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl Cargo {
    /// A call with these arguments, separated by spaces.
    pub(crate) fn new(args: &str) -> Self {
        Self { args: args.split_whitespace().map(str::to_owned).collect(), env: Vec::new() }
    }

    /// The same with an environment variable.
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// Runs it at the root of the workspace, and gives back all that it printed.
    ///
    /// # Errors
    ///
    /// [`Failure`] with all that it printed, if it cannot be run or does not succeed.
    pub(crate) fn run(&self) -> Result<String, Failure> {
        let log = self.log_file();
        let status = self.run_into(&log);
        let printed = fs::read(&log).unwrap_or_default();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        match status {
            Ok(status) if status.success() => Ok(printed),
            Ok(status) => Err(self.failure(&format!("{printed}\ncargo ended with {status}"))),
            Err(error) => Err(self.failure(&format!("cargo cannot be run: {error}"))),
        }
    }

    /// [`run`](Self::run), but only what went to stdout, and no log.
    ///
    /// # Errors
    ///
    /// [`Failure`] with what went to stderr, if it cannot be run or does not succeed.
    pub(crate) fn stdout(&self) -> Result<String, Failure> {
        let output = self
            .command()
            .output()
            .map_err(|error| self.failure(&format!("cargo cannot be run: {error}")))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.failure(&String::from_utf8_lossy(&output.stderr)))
        }
    }

    /// A failure whose repeat is this call.
    pub(crate) fn failure(&self, report: &str) -> Failure {
        let env = self.env.iter().map(|(name, value)| format!("{name}='{value}' "));
        let repeat = format!("{}cargo {}", env.collect::<String>(), self.args.join(" "));
        Failure { report: report.to_owned(), repeat }
    }

    /// In a file rather than in memory, so that somebody who waits can follow it.
    fn log_file(&self) -> PathBuf {
        let task = self.args.first().map_or("cargo", String::as_str);
        target_folder().join("xtask").join(task).with_extension("log")
    }

    fn run_into(&self, log: &Path) -> io::Result<ExitStatus> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::create(log)?;
        self.command().stdout(file.try_clone()?).stderr(file).status()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(root()).args(&self.args).envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// What `cargo metadata` says about the packages of the workspace.
///
/// # Errors
///
/// [`Failure`] if cargo does not answer with JSON.
pub(crate) fn packages() -> Result<Vec<Value>, Failure> {
    let call = Cargo::new("metadata --no-deps --format-version 1");
    let text = call.stdout()?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|error| call.failure(&format!("no JSON: {error}")))?;
    let packages = answer["packages"].as_array().cloned();
    packages.ok_or_else(|| call.failure(&format!("`packages` is no list in {answer}")))
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where cargo builds.
pub(crate) fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The program `worker`, where a release build puts it.
pub(crate) fn released_worker() -> PathBuf {
    let name = format!("worker{}", env::consts::EXE_SUFFIX);
    target_folder().join("release").join(name)
}

/// The cargo that runs us, so that the toolchain is the same.
fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
