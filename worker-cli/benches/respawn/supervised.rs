//! The supervised way: `worker run`, with a backoff that is over before it begins.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::program::first_instruction;

/// Never parks, and waits for nothing.
const OPTIONS: [&str; 8] = [
    "run",
    "--quiet",
    "--backoff=1ns",
    "--backoff-max=1ns",
    "--max-failures=1000000",
    "--window=1h",
    "--restart=on-failure",
    "--ready=none",
];

/// A process that `worker run` keeps alive.
pub(crate) struct Supervised {
    worker: Child,
    stdout: ChildStdout,
    pid: Pid,
}

impl Supervised {
    /// `cgroup` is the option that says whether each run gets a cgroup.
    pub(crate) fn start(program: &Path, cgroup: &str) -> io::Result<Self> {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(OPTIONS)
            .args([cgroup, "--"])
            .arg(program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = worker.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let pid = first_instruction(&mut stdout).map_err(|error| {
            io::Error::new(error.kind(), format!("`worker run` did not start the program: {error}"))
        })?;
        Ok(Self { worker, stdout, pid })
    }

    /// Kills the process, and gives the time until the first instruction of the next one.
    pub(crate) fn crash(&mut self) -> io::Result<Duration> {
        let begun = Instant::now();
        kill_process(self.pid, Signal::KILL)?;
        self.pid = first_instruction(&mut self.stdout)?;
        Ok(begun.elapsed())
    }
}

/// Stops `worker`, which stops the process, and waits for both.
impl Drop for Supervised {
    fn drop(&mut self) {
        let Some(worker) = Pid::from_raw(self.worker.id().cast_signed()) else { return };
        // Fails if it is gone already, which is what we want.
        let _ = kill_process(worker, Signal::TERM);
        let _ = waitid(WaitId::Pid(worker), WaitIdOptions::EXITED);
    }
}
