//! A daemon of its own, with one project.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use worker_cli::client::Client;
use worker_cli::error::Failure;
use worker_cli::state_dir::StateArgs;

/// The project's name.
pub(crate) const PROJECT: &str = "bench";

/// Its state folder, within its own.
pub(crate) const STATE: &str = "state";

/// The daemon, in the foreground.
pub(crate) struct Daemon {
    scratch: TempDir,
    /// The process that was started.
    pub(crate) guardian: Child,
    /// What it still says has a place to go.
    said: BufReader<ChildStderr>,
    runtime: Runtime,
    client: Client,
}

impl Daemon {
    /// One that listens. `cgroup` is the option that says whether each run gets a cgroup.
    pub(crate) fn start(cgroup: &str) -> io::Result<Self> {
        let scratch = tempfile::tempdir()?;
        let state = scratch.path().join(STATE);
        let mut guardian = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(["daemon", cgroup, "--state-dir"])
            .arg(&state)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = guardian.stderr.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let client = Client::new(&StateArgs { state_dir: Some(state) }).map_err(in_words)?;
        let client = client.without_start();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut daemon = Self { scratch, guardian, said: BufReader::new(said), runtime, client };
        daemon.await_listening()?;
        Ok(daemon)
    }

    fn await_listening(&mut self) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains("listening at ") {
            line.clear();
            if self.said.read_line(&mut line)? == 0 {
                return Err(io::Error::other("`worker daemon` does not listen"));
            }
        }
        Ok(())
    }

    /// A folder for what belongs to it, in which it has its project and its state.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Gives the project these slots: what stands in its `worker.toml`.
    pub(crate) fn write(&self, slots: &str) -> io::Result<()> {
        fs::write(self.file(), format!("project = \"{PROJECT}\"\n{slots}"))
    }

    /// Asks it for something.
    pub(crate) fn ask<T>(
        &self,
        asking: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
    ) -> io::Result<T> {
        self.runtime.block_on(asking(&self.client)).map_err(in_words)
    }

    /// The `worker.toml` of the project.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("worker.toml")
    }
}

/// Stops it with all that it has, and waits for its end.
impl Drop for Daemon {
    fn drop(&mut self) {
        let guardian = Pid::from_child(&self.guardian);
        let _ = kill_process(guardian, Signal::TERM); // It may have ended.
        let _ = waitid(WaitId::Pid(guardian), WaitIdOptions::EXITED);
    }
}

fn in_words(failure: Failure) -> io::Error {
    io::Error::other(failure.message)
}
