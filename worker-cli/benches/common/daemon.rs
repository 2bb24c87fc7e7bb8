//! A daemon of its own, with one project.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use worker_cli::api::{StopRequest, UpRequest};
use worker_cli::client::Client;
use worker_cli::error::Failure;
use worker_cli::state_dir::StateArgs;

const PROJECT: &str = "bench";

/// The daemon, in the foreground.
pub(crate) struct Daemon {
    scratch: TempDir,
    guardian: Child,
    /// What it still says has a place to go.
    said: BufReader<ChildStderr>,
    runtime: Runtime,
    client: Client,
}

impl Daemon {
    /// One that listens. `cgroup` is the option that says whether each run gets a cgroup.
    pub(crate) fn start(cgroup: &str) -> io::Result<Self> {
        let scratch = tempfile::tempdir()?;
        let state = scratch.path().join("state");
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

    /// The process that has the slots.
    pub(crate) fn pid(&self) -> io::Result<i32> {
        let guardian = self.guardian.id();
        let children = fs::read_to_string(format!("/proc/{guardian}/task/{guardian}/children"))?;
        children.trim().parse().map_err(io::Error::other)
    }

    /// The process that was started.
    pub(crate) fn guardian(&self) -> i32 {
        Pid::from_child(&self.guardian).as_raw_nonzero().get()
    }

    /// Gives the project these slots: what stands in its `worker.toml`.
    pub(crate) fn write(&self, slots: &str) -> io::Result<()> {
        fs::write(self.file(), format!("project = \"{PROJECT}\"\n{slots}"))
    }

    /// Starts them, and waits until all are ready.
    pub(crate) fn up(&self) -> io::Result<()> {
        let env = std::env::vars().collect::<BTreeMap<_, _>>();
        let request = UpRequest { config: self.file(), env: Some(env), no_wait: false };
        let up = self.runtime.block_on(self.client.up(PROJECT, &request)).map_err(in_words)?;
        match up.slots.into_iter().find_map(|slot| slot.error) {
            Some(error) => Err(io::Error::other(error.message)),
            None => Ok(()),
        }
    }

    /// Stops them, and waits until nothing is left of them.
    pub(crate) fn down(&self) -> io::Result<()> {
        let down = self.client.down(PROJECT, StopRequest::default());
        self.runtime.block_on(down).map(drop).map_err(in_words)
    }

    /// `worker WORDS`, in the folder of the project.
    pub(crate) fn worker(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.args(words).arg("--state-dir").arg(self.scratch.path().join("state"));
        command.current_dir(self.scratch.path()).stdin(Stdio::null());
        command
    }

    fn file(&self) -> PathBuf {
        self.scratch.path().join("worker.toml")
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
