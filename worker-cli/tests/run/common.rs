//! Runs the real `worker` and proves what became of its trees.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::dispositions::let_none_be_ignored_by_children;
pub(crate) use crate::eventually::{LONG, eventually};
pub(crate) use crate::script::script;

/// Options of a run that has no cgroup. Each start that looks for cgroups ends what is left in those
/// of dead supervisors, whatever its state folder: another test's would, too.
pub(crate) const OUT_OF_SIGHT: [&str; 2] = ["--cgroup", "never"];

/// A `worker run` to be.
pub(crate) struct Worker {
    folder: TempDir,
    command: Command,
}

/// A `worker run` that lives.
pub(crate) struct Running {
    pub(crate) folder: TempDir,
    child: Leash,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// A test that fails must not leave its processes behind: the guardian ends what its supervisor had,
/// whatever grace that would have given.
struct Leash(Child);

impl Drop for Leash {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let pid = i32::try_from(self.0.id()).unwrap();
        children_of(pid).into_iter().for_each(end);
        send_signal(pid, "CONT"); // It is not reaped.
        let since = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && since.elapsed() < LONG {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
    }
}

/// A `worker run` that ended, with everything that held its output.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) events: Vec<Value>,
}

/// `worker run OPTIONS -- sh -c SCRIPT`. The script finds a folder of its own in `$DIR`.
pub(crate) fn run_sh(options: &[&str], script: &str) -> Worker {
    run(options, &["sh", "-c", script])
}

/// `worker run OPTIONS -- COMMAND`.
pub(crate) fn run<S: AsRef<OsStr>>(options: &[&str], command: &[S]) -> Worker {
    let mut worker = bare(&[]);
    let events = worker.folder.path().join("events");
    worker.command.arg("run").arg("--events").arg(events);
    worker.command.args(options).arg("--").args(command);
    worker
}

/// `worker WORDS`.
pub(crate) fn bare(words: &[&str]) -> Worker {
    let folder = tempfile::tempdir().unwrap();
    let mut command = with_pipes(Command::new(env!("CARGO_BIN_EXE_worker")));
    command.args(words).env("DIR", folder.path()).env("COLUMNS", "80");
    command.env("WORKER_STATE_DIR", folder.path().join("state"));
    command.env_remove("NOTIFY_SOCKET").env_remove("WORKER_LOG");
    Worker { folder, command }
}

fn with_pipes(mut command: Command) -> Command {
    let_none_be_ignored_by_children();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Worker {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Starts it in a group of its own, as a shell does: a group that nobody in its session looks
    /// after, such as the one of these tests may be, is never stopped by SIGTSTP.
    pub(crate) fn in_job(mut self) -> Self {
        self.command.process_group(0);
        self
    }

    /// Runs another program.
    pub(crate) fn instead(mut self, words: &[&str]) -> Self {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("WORKER_STATE_DIR", self.folder.path().join("state"));
        self.command = with_pipes(command);
        self
    }

    /// Runs the same under another program: `WRAPPER worker run …`.
    pub(crate) fn under(mut self, wrapper: &[&str]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = with_pipes(command);
        self
    }

    /// Starts it with `input` on stdin.
    pub(crate) fn start_with(mut self, input: &[u8]) -> Running {
        self.command.stdin(Stdio::piped());
        let mut running = self.start();
        running.child.0.stdin.take().unwrap().write_all(input).unwrap();
        running
    }

    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let keep = Arc::clone(&seen);
        let stdout = lines(out, move |line| keep.lock().unwrap().stdout.extend_from_slice(line));
        let keep = Arc::clone(&seen);
        let stderr = lines(err, move |line| keep.lock().unwrap().stderr.extend_from_slice(line));
        Running { folder: self.folder, child: Leash(child), stdout, stderr, seen }
    }

    pub(crate) fn finish(self) -> Finished {
        self.start().finish()
    }
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.0.id()).unwrap()
    }

    /// The process that supervises, which is the only child of the one that was started.
    pub(crate) fn supervisor(&self) -> i32 {
        let children = children_of(self.pid());
        assert_eq!(children.len(), 1);
        children[0]
    }

    /// Waits for a line on stdout that contains `text`, and answers it.
    pub(crate) fn await_stdout(&self, text: &str) -> String {
        await_line(&self.stdout, text)
    }

    /// Waits for a line on stderr that contains `text`, and answers it.
    pub(crate) fn await_stderr(&self, text: &str) -> String {
        await_line(&self.stderr, text)
    }

    /// Waits for an event of this kind, and answers the first one.
    pub(crate) fn await_event(&self, kind: &str) -> Value {
        let mut found = None;
        eventually(&format!("the event {kind}"), || {
            found = events(self.folder.path()).into_iter().find(|event| event["event"] == kind);
            found.is_some()
        });
        found.unwrap()
    }

    /// Kills guardian and supervisor, without giving either the time to do anything about it.
    /// Answers the supervisor's number.
    pub(crate) fn kill_both(&self) -> i32 {
        let supervisor = self.supervisor();
        self.signal("STOP");
        eventually("the guardian to stop", || state(self.pid()) == Some('T'));
        send_signal(supervisor, "KILL");
        self.signal("KILL");
        for pid in [supervisor, self.pid()] {
            eventually("their end", || !lives(pid));
        }
        supervisor
    }

    /// Sends a signal to `worker` itself.
    pub(crate) fn signal(&self, name: &str) {
        send_signal(self.pid(), name);
    }

    /// Waits for its end, and for everything that holds its stdout: nothing of the tree that was
    /// not told to let go of it can be left.
    pub(crate) fn finish(mut self) -> Finished {
        await_end(&self.stdout, "stdout");
        await_end(&self.stderr, "stderr");
        let code = self.child.0.wait().unwrap().code();
        self.finished(code)
    }

    fn finished(self, code: Option<i32>) -> Finished {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let events = events(self.folder.path());
        let stderr = String::from_utf8_lossy(&seen.stderr).into_owned();
        Finished { code, stdout: seen.stdout, stderr, events }
    }
}

impl Finished {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.events.iter().map(|event| event["event"].as_str().unwrap()).collect()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["event"] == kind).collect()
    }

    /// Checks the exit code, and shows everything if it is another one.
    #[track_caller]
    pub(crate) fn check_code(&self, expected: i32) -> &Self {
        let Self { code, stderr, events, .. } = self;
        let stdout = self.stdout();
        assert_eq!(
            *code,
            Some(expected),
            "\nstdout:\n{stdout}\nstderr:\n{stderr}\nevents: {events:#?}"
        );
        self
    }

    #[track_caller]
    pub(crate) fn check_stderr(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        self
    }
}

/// The children of a process that has one thread.
pub(crate) fn children_of(pid: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    children.unwrap_or_default().split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Sends a signal by its name without `SIG`.
pub(crate) fn send_signal(pid: i32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}

/// Ends a process, which may be gone.
pub(crate) fn end(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Processes whose environment has this variable with this value.
pub(crate) fn processes_with(name: &str, value: &str) -> Vec<i32> {
    let wanted = format!("{name}={value}");
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    })
    .collect()
}

/// The one-letter state of a process; none if there is no such process.
pub(crate) fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Neither gone nor a zombie.
pub(crate) fn lives(pid: i32) -> bool {
    !matches!(state(pid), None | Some('Z' | 'X'))
}

fn events(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("events")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Reads lines on a thread of its own; a line may lack its end.
fn lines(
    from: impl Read + Send + 'static,
    keep: impl Fn(&[u8]) + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            keep(&line);
            // Whoever waits may have ended.
            drop(sender.send(std::mem::take(&mut line)));
        }
    });
    receiver
}

fn await_line(lines: &Receiver<Vec<u8>>, text: &str) -> String {
    loop {
        let line = lines.recv_timeout(LONG).unwrap_or_else(|_| panic!("no line with {text:?}"));
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.contains(text) {
            return line;
        }
    }
}

fn await_end(lines: &Receiver<Vec<u8>>, what: &str) {
    use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};

    loop {
        match lines.recv_timeout(LONG) {
            Ok(_) => {}
            Err(Disconnected) => return,
            Err(Timeout) => panic!("somebody still holds {what}"),
        }
    }
}
