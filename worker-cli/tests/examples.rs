//! The examples, each in a copy with a state folder of its own, by the real programs where the
//! machine has them.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "a test is the parent of the program that it tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a fresh clone does not have.
const MADE: [&str; 4] = ["data", "node_modules", "origin.git", "work"];

/// `nobody` on all systems that we know.
const ORDINARY_USER: u32 = 65_534;

/// A copy of an example, whose daemon ends with it.
struct Example {
    scratch: TempDir,
    user: Option<u32>,
}

impl Example {
    /// As the user that runs the tests.
    fn copy(name: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        copy(&source(name), &scratch.path().join("project"));
        Self { scratch, user: None }
    }

    /// As an ordinary user, also where root runs the tests.
    fn copy_of_an_ordinary_user(name: &str) -> Self {
        let mut example = Self::copy(name);
        if rustix::process::geteuid().is_root() {
            give(example.scratch.path(), ORDINARY_USER);
            example.user = Some(ORDINARY_USER);
        }
        example
    }

    fn project(&self) -> PathBuf {
        self.scratch.path().join("project")
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let scratch = self.scratch.path();
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.project()).env("HOME", scratch).env("WORKER_CGROUP", "never");
        command.env("WORKER_STATE_DIR", scratch.join("state")).env_remove("XDG_RUNTIME_DIR");
        command.stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Why it cannot be run here: the first of these that the user cannot execute.
    fn lacks(&self, programs: &[&str]) -> Option<String> {
        let worker = env!("CARGO_BIN_EXE_worker");
        let mut needed = programs.iter().chain([&worker]);
        let is_missing = |name: &&&str| {
            !self.command(name).arg("--version").output().is_ok_and(|it| it.status.success())
        };
        needed.find(is_missing).map(|name| format!("`{name} --version` does not run"))
    }

    /// Runs `worker WORDS`, which has to go well; answers what it printed.
    #[track_caller]
    fn worker(&self, words: &[&str]) -> String {
        let output = self.command(env!("CARGO_BIN_EXE_worker")).args(words).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "worker {words:?}: {status}\n{stdout}\n{stderr}");
        stdout.into_owned()
    }

    /// The status of a slot that runs.
    #[track_caller]
    fn running(&self, slot: &str) -> Value {
        let status: Value =
            serde_json::from_str(&self.worker(&["status", slot, "--json"])).unwrap();
        assert_eq!(status["slots"][0]["state"], "running", "{status}");
        status["slots"][0].clone()
    }

    /// What a GET of this path from a slot that runs is answered with.
    #[track_caller]
    fn get(&self, slot: &str, path: &str) -> String {
        let port = self.running(slot)["ports"][0].as_u64().unwrap();
        let address = format!("127.0.0.1:{port}");
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{answer}");
        body.to_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Also after a test that failed; nothing may run then.
        let ended = self.command(env!("CARGO_BIN_EXE_worker")).args(["down", "--all"]).output();
        drop(ended);
    }
}

/// The folder of an example.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        let (from, to) = (from.join(&name), to.join(&name));
        match from.is_dir() {
            true if MADE.iter().any(|made| name == *made) => {}
            true => copy(&from, &to),
            false => drop(fs::copy(&from, &to).unwrap()),
        }
    }
}

/// A folder with all that is in it.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), user));
    }
}

/// A port that is free now: the kernel chose it, and we closed it.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Gives the API a port that is free here, the way that the example says.
fn move_api(example: &Example, more: &str) {
    let local = fs::read_to_string(source("node-vite").join("worker.local.example.toml")).unwrap();
    let local = local.replace("4320", &free_port().to_string());
    fs::write(example.project().join("worker.local.toml"), local + more).unwrap();
}

#[test]
fn the_configuration_of_each_example_is_good() {
    for entry in fs::read_dir(source("")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            let example = Example::copy(folder.file_name().unwrap().to_str().unwrap());
            example.worker(&["config", "check"]);
        }
    }
}

#[test]
fn the_node_server_answers_and_is_gone_when_it_is_down() {
    let example = Example::copy("node-vite");
    if let Some(reason) = example.lacks(&["node"]) {
        return eprintln!("skipped: {reason}");
    }
    move_api(&example, "");
    example.worker(&["start", "api"]);
    assert!(example.get("api", "/api/time").contains("\"run\":\"1\""));
    let port = example.running("api")["ports"][0].as_u64().unwrap();
    example.worker(&["down"]);
    TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
}

#[test]
fn vite_passes_on_to_the_node_server() {
    let example = Example::copy("node-vite");
    let modules = fs::canonicalize(source("node-vite").join("node_modules"));
    let Some(modules) = modules.ok().filter(|it| it.join(".bin/vite").exists()) else {
        return eprintln!("skipped: `npm install` was not run in examples/node-vite");
    };
    if let Some(reason) = example.lacks(&["node"]) {
        return eprintln!("skipped: {reason}");
    }
    // It is installed, and a test needs no network.
    move_api(&example, "prepare = []\n");
    symlink(modules, example.project().join("node_modules")).unwrap();
    example.worker(&["up"]);
    assert!(example.get("web", "/").contains("/main.js"));
    assert!(example.get("web", "/api/time").contains("\"run\":\"1\""));
    example.worker(&["down"]);
}

#[test]
fn the_python_app_waits_for_its_postgres_which_keeps_what_it_was_told() {
    let example = Example::copy_of_an_ordinary_user("python-postgres");
    if let Some(reason) = example.lacks(&["python3", "initdb", "postgres", "psql"]) {
        return eprintln!("skipped: {reason}");
    }
    example.worker(&["up"]);
    assert_eq!(example.get("app", "/"), "visit 1\n");
    assert_eq!(example.get("app", "/"), "visit 2\n");
    assert!(example.worker(&["logs", "db"]).contains("ready to accept connections"));
    example.worker(&["down"]);
    example.worker(&["up"]);
    assert_eq!(example.get("app", "/"), "visit 3\n", "the database is made once");
    example.worker(&["down"]);
    assert!(example.worker(&["logs", "db"]).contains("database system is shut down"));
}

#[test]
fn each_agent_is_cloned_once_into_a_folder_of_its_own() {
    let example = Example::copy("agents");
    if let Some(reason) = example.lacks(&["git"]) {
        return eprintln!("skipped: {reason}");
    }
    example.worker(&["start", "agent@one", "agent@two"]);
    let ports = |slot| example.running(slot)["ports"].clone();
    assert_ne!(ports("agent@one"), ports("agent@two"));
    let work = example.project().join("work");
    assert!(work.join("one/.git").is_dir() && work.join("two/.git").is_dir());
    // A clone into a folder that is not empty would fail.
    example.worker(&["restart", "agent@one"]);
    let logs = example.worker(&["logs", "agent@one"]);
    let said = format!("is ready in {}/one", fs::canonicalize(&work).unwrap().display());
    assert_eq!(logs.matches(&said).count(), 2, "{logs}");
    example.worker(&["down"]);
}
