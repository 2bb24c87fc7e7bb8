//! Runs the real `worker` with its guardian, and proves what became of its trees.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::dispositions::let_none_be_ignored_by_children;
pub(crate) use crate::eventually::{LONG, eventually};

/// A shell that does nothing by itself, and whose parent process sees every signal at once.
pub(crate) const IDLE: &str = "echo up $$; while :; do sleep 60 & wait; done";

/// `worker run` with its output in a pipe that every process of the tree holds.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) output: Lines,
    /// What `up PID` said, if the script does.
    pub(crate) leader: i32,
}

/// `worker run OPTIONS -- sh -c SCRIPT`, in a process group of its own.
pub(crate) fn worker(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command.arg("run").args(options).args(["--", "sh", "-c", script]);
    prepared(command)
}

/// With nothing of this test in it but its output.
pub(crate) fn prepared(mut command: Command) -> Command {
    let_none_be_ignored_by_children();
    command.env_remove("NOTIFY_SOCKET").env_remove("WORKER_LOG").process_group(0);
    command.env("WORKER_STATE_DIR", state_dir());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// One that no other start has: each ends what killed supervisors of its state folder left. Goes with
/// the thread of its test.
fn state_dir() -> PathBuf {
    thread_local! {
        static FOLDER: TempDir = tempfile::tempdir().unwrap();
    }
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    FOLDER.with(|folder| folder.path().join(count.to_string()))
}

/// Starts it, and waits for its `up PID`.
pub(crate) fn start(mut command: Command) -> Running {
    let mut child = command.spawn().unwrap();
    let output = Lines::of(child.stdout.take().unwrap());
    let up = output.expect("up ");
    Running { child, output, leader: up.rsplit(' ').next().unwrap().parse().unwrap() }
}

impl Running {
    /// The process that we started.
    pub(crate) fn guardian(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Its child, which is the leader's parent.
    pub(crate) fn supervisor(&self) -> i32 {
        let supervisor = parent(self.leader);
        assert_eq!(parent(supervisor), self.guardian());
        supervisor
    }

    /// Waits until everything that holds the output has ended, `worker` included, and answers its
    /// exit code with what was written until then.
    pub(crate) fn finish(mut self) -> (Option<i32>, Vec<String>) {
        let rest = self.output.rest();
        (self.end(), rest)
    }

    /// Waits for the end of `worker` alone.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        status.code().or_else(|| status.signal().map(|signal| -signal))
    }
}

/// Where a test has failed: the guardian ends what its supervisor had. It may be gone itself.
impl Drop for Running {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let supervisor = parent_of(self.leader).filter(|&parent| parent > 1);
        if let Some(supervisor) = supervisor.and_then(Pid::from_raw) {
            let _ = kill_process(supervisor, Signal::KILL);
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            send(self.guardian(), Signal::CONT);
            let _ = self.child.wait();
        }
        let leads_a_group = field(self.leader, 2).is_some_and(|it| it == self.leader.to_string());
        if let Some(group) = Pid::from_raw(self.leader).filter(|_| leads_a_group) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What is written, line by line.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    pub(crate) fn of(from: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// Waits for a line that contains `text`, and answers it.
    pub(crate) fn expect(&self, text: &str) -> String {
        loop {
            match self.0.recv_timeout(LONG) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(error) => panic!("no line with {text:?}: {error}"),
            }
        }
    }

    /// Waits for the end.
    pub(crate) fn rest(&self) -> Vec<String> {
        let mut rest = Vec::new();
        loop {
            match self.0.recv_timeout(LONG) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("somebody still holds the output"),
            }
        }
    }
}

pub(crate) fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// The state letter of a process, such as `T` for a stopped one; none if there is no such process.
pub(crate) fn state(pid: i32) -> Option<char> {
    field(pid, 0)?.chars().next()
}

/// Whether it is there, and no zombie.
pub(crate) fn lives(pid: i32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

pub(crate) fn parent(pid: i32) -> i32 {
    parent_of(pid).unwrap_or_else(|| panic!("{pid} is gone"))
}

fn parent_of(pid: i32) -> Option<i32> {
    field(pid, 1)?.parse().ok()
}

pub(crate) fn group(pid: i32) -> i32 {
    field(pid, 2).unwrap_or_else(|| panic!("{pid} is gone")).parse().unwrap()
}

/// A field of proc_pid_stat(5), counted from behind the name.
fn field(pid: i32, index: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(index).map(str::to_owned)
}

/// Kinds of events in a file of them, so far.
pub(crate) fn events(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let kind = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["event"].as_str().unwrap().to_owned()
    };
    whole.lines().map(kind).collect()
}
