//! `worker run` with the processes of it that matter here.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// A supervised shell. Every process of it, and `worker` itself, holds the pipe of its output.
pub(crate) struct Worker {
    guardian: Child,
    pub(crate) output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it, and waits until so many processes have said `up`.
    pub(crate) fn start(script: &str, processes: usize) -> io::Result<Self> {
        let mut guardian = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(["run", "--quiet", "--cgroup=never", "--", "sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = guardian.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let mut worker = Self { guardian, output: BufReader::new(output) };
        wait_until_up(&mut worker.output, processes)?;
        Ok(worker)
    }

    /// The process that we started.
    pub(crate) fn guardian(&self) -> Pid {
        Pid::from_child(&self.guardian)
    }

    /// Its only child.
    pub(crate) fn supervisor(&self) -> io::Result<Pid> {
        let guardian = self.guardian.id();
        let children = fs::read_to_string(format!("/proc/{guardian}/task/{guardian}/children"))?;
        let supervisor = children.trim().parse().ok().and_then(Pid::from_raw);
        supervisor.ok_or_else(|| io::Error::other(format!("`{children}` is not one supervisor")))
    }
}

/// Stops it, where that has not been done, and waits for its end.
impl Drop for Worker {
    fn drop(&mut self) {
        let _ = kill_process(self.guardian(), Signal::TERM); // It may have ended.
        let _ = waitid(WaitId::Pid(self.guardian()), WaitIdOptions::EXITED);
    }
}

/// Waits until so many processes have said `up`.
pub(crate) fn wait_until_up(output: &mut impl BufRead, processes: usize) -> io::Result<()> {
    let mut line = String::new();
    for _ in 0..processes {
        if output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("it ended before its processes were up"));
        }
    }
    Ok(())
}
