//! `worker run` with a command that crashes as often as it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Figures;
use super::process::{self, Reading};

/// Never parks, waits for nothing, and holds ports.
const OPTIONS: [&str; 7] = [
    "--quiet",
    "--ports=2",
    "--backoff=1ns",
    "--backoff-max=1ns",
    "--max-failures=1000000000",
    "--on-clean-exit=reap",
    "--",
];

/// Each run leaves a process behind that has escaped from its group and session. It ends with the
/// code that it reads.
const SCRIPT: &str = "setsid sleep 600 & echo up; read code; exit $code";

/// So many runs make a line of progress.
const MILESTONE: u32 = 1000;

/// For what still goes on in `worker` when the command is up.
const PAUSE: Duration = Duration::from_millis(200);

/// A command that crashes in a loop.
pub(crate) struct CrashLoop {
    guardian: Child,
    supervisor: u32,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// So many have begun.
    runs: u32,
}

impl CrashLoop {
    /// Starts its first run, with this option.
    pub(crate) fn start(worker: &Path, cgroup: &str) -> io::Result<Self> {
        let mut guardian = Command::new(worker)
            .args(["run", cgroup])
            .args(OPTIONS)
            .args(["sh", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let no_pipe = || io::Error::other("no pipe");
        let stdin = guardian.stdin.take().ok_or_else(no_pipe)?;
        let mut stdout = BufReader::new(guardian.stdout.take().ok_or_else(no_pipe)?);
        wait_until_up(&mut stdout)?;
        let supervisor = only_child(guardian.id())?;
        Ok(Self { guardian, supervisor, stdin, stdout, runs: 1 })
    }

    /// Lets it crash until so many runs have begun.
    pub(crate) fn go_on_to(&mut self, runs: u32) -> io::Result<()> {
        while self.runs < runs {
            self.stdin.write_all(b"1\n")?;
            wait_until_up(&mut self.stdout)?;
            self.runs += 1;
            if self.runs.is_multiple_of(MILESTONE) {
                eprintln!("{} of {runs} runs", self.runs);
            }
        }
        Ok(())
    }

    /// While the command is up, and nothing happens.
    pub(crate) fn figures(&self) -> io::Result<Figures> {
        // What has come to rest tells nobody.
        std::thread::sleep(PAUSE);
        Ok(Figures {
            supervisor: Reading::of(self.supervisor)?,
            guardian: Reading::of(self.guardian.id())?,
        })
    }

    /// Ends it cleanly, and waits until whatever has held its output is gone.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.stdin.write_all(b"0\n")?;
        self.stdout.read_to_end(&mut Vec::new())?;
        let status = self.guardian.wait()?;
        let complaint = || io::Error::other(format!("after a clean exit, worker: {status}"));
        status.success().then_some(()).ok_or_else(complaint)
    }
}

fn wait_until_up(stdout: &mut impl BufRead) -> io::Result<()> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let complaint = || io::Error::other(format!("instead of `up` the command said `{line}`"));
    (line == "up\n").then_some(()).ok_or_else(complaint)
}

fn only_child(pid: u32) -> io::Result<u32> {
    match process::children(pid)?.as_slice() {
        &[child] => Ok(child),
        children => Err(io::Error::other(format!("the guardian's children are {children:?}"))),
    }
}
