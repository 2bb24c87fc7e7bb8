//! Runs real daemons, each in a state folder of its own, and speaks to them.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use worker_cli::client::Client;
use worker_cli::socket::{Place, PrivateFolder, SocketAddress};
use worker_cli::state_dir::StateArgs;

use crate::dispositions::let_none_be_ignored_by_children;
pub(crate) use crate::eventually::{LONG, eventually};
pub(crate) use crate::script::script;

/// A state folder. Whatever daemon it has ends with it.
pub(crate) struct Scene {
    scratch: TempDir,
}

/// A daemon in the foreground.
pub(crate) struct Daemon {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

/// A `worker` that ended.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { scratch: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.scratch.path().join("state")
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.state_dir().join("run")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.run_dir().join("worker.sock")
    }

    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// `worker WORDS`, which sees nothing of this process's surroundings.
    pub(crate) fn worker(&self, words: &[&str]) -> Command {
        let_none_be_ignored_by_children();
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.args(words).env("WORKER_STATE_DIR", self.state_dir()).env("WORKER_CGROUP", "never");
        command.env_remove("NOTIFY_SOCKET").env_remove("WORKER_LOG").env("HOME", self.scratch());
        command.env_remove("XDG_RUNTIME_DIR").env_remove("XDG_CONFIG_HOME");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A daemon that listens.
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon::start(self.worker(&["daemon"]))
    }

    /// A client that starts a daemon if there is none.
    pub(crate) fn client(&self) -> Client {
        let state = StateArgs { state_dir: Some(self.state_dir()) };
        Client::new(&state).unwrap().starting(self.program())
    }

    /// `worker`, as this test starts it: without cgroups.
    fn program(&self) -> PathBuf {
        let worker = env!("CARGO_BIN_EXE_worker");
        script(self.scratch(), "worker", &format!("WORKER_CGROUP=never exec '{worker}' \"$@\""))
    }

    pub(crate) fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, &[], body.as_bytes())
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = body.len();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The answer may come before all of the body is sent, and end the connection.
        drop(stream.write_all(body));
        Reply::read(stream)
    }

    /// The process id that the daemon tells.
    pub(crate) fn pid(&self) -> i64 {
        self.get("/healthz").json()["pid"].as_i64().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let state = StateArgs { state_dir: Some(self.state_dir()) };
        let client = Client::new(&state).unwrap();
        if matches!(PrivateFolder::open(client.place().run_dir()), Ok(Some(_))) {
            drop(worker_cli::client::block_on(client.shutdown()));
        }
    }
}

impl Daemon {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Self { child, stderr, said: String::new() };
        daemon.await_line("listening at ");
        daemon
    }

    /// The process that we started.
    pub(crate) fn guardian(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Its child, the daemon itself.
    pub(crate) fn supervisor(&self) -> i32 {
        let children = format!("/proc/{0}/task/{0}/children", self.guardian());
        std::fs::read_to_string(children).unwrap().trim().parse().unwrap()
    }

    pub(crate) fn await_line(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.stderr.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended without {text:?}");
            self.said.push_str(&line);
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// The lines that were awaited so far.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Waits for its end; answers the exit code, and what it still said.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            send_signal(self.guardian(), "TERM");
            drop(self.child.wait());
        }
    }
}

impl Reply {
    fn read(mut stream: UnixStream) -> Self {
        let mut text = Vec::new();
        // A connection that is ended before all of a body was read ends with an error.
        drop(stream.read_to_end(&mut text));
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that it is an error of this kind that says this.
    #[track_caller]
    pub(crate) fn check_error(&self, status: u16, code: &str, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!((&body["v"], &body["error"]["code"]), (&1.into(), &code.into()), "{self:?}");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{self:?}");
        let hint = &body["error"]["hint"];
        assert!(hint.is_null() || hint.is_string(), "{self:?}");
    }
}

/// Runs it to its end.
pub(crate) fn finish(mut command: Command) -> Finished {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Output { status, stdout, stderr } = output;
    Finished { code: status.code(), stdout: text(&stdout), stderr: text(&stderr) }
}

/// The place that a state folder named so has.
pub(crate) fn place(state_dir: &Path) -> Place {
    Place::of(&StateArgs { state_dir: Some(state_dir.to_owned()) }).unwrap()
}

/// Whether somebody listens there.
pub(crate) fn listens(place: &Place) -> bool {
    let folder = PrivateFolder::open(place.run_dir()).unwrap().unwrap();
    UnixStream::connect(SocketAddress::of(&folder).unwrap().path()).is_ok()
}

/// Sends a signal by its name without `SIG`.
pub(crate) fn send_signal(pid: i32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}
