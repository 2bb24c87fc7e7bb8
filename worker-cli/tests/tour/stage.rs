//! A project in a folder of its own with a daemon of its own, and what was said there.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::dispositions::let_none_be_ignored_by_children;
pub(crate) use crate::eventually::eventually;

/// What everything begins with.
pub(crate) const PROJECT: &str = r#"project = "shop"

[defaults.restart]
backoff = "10ms"
max_failures = 2

[slots.api]
command = ["sh", "-c", "echo listening on $PORT; exec sleep 1000"]
env = { GREETING = "hello {slot}" }
ports = 1
ready = { log = "listening" }

[slots.web]
command = ["sh", "-c", "echo boom; exit 3"]
ready = { log = "never" }
start = "on-demand"

[slots.slow]
command = ["sleep", "1000"]
ready = { log = "never" }
start = "on-demand"

[slots.gone]
command = ["/no/such/program"]
start = "on-demand"

[templates.agent]
command = ["sh", "-c", "echo agent {id}; exec sleep 1000"]
"#;

/// What differs from tour to tour.
const REDACTIONS: [(&str, &str); 13] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[time]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[date]"),
    (r"\d\d:\d\d:\d\d\.\d{3}", "[clock]"),
    (r"(_ms.?: )\d+", "$1[ms]"),
    (r"(pid.?:? )\d+", "$1[pid]"),
    (r"\b(after|in) \d+(\.\d+)? (ms|s)\b", "$1 [duration]"),
    (r"\b(for|in) \d+s\b", "$1 [duration]"),
    (r"\b\d+s ago\b", "[duration] ago"),
    (r"( (?:running|starting|restarting|stopping|stopped|failed|error) +)\d+s +", "$1[for]  "),
    (r"(\[for\]  )\d+ +", "$1[pid]  "),
    (r"(#\d+ +)\d+s ", "$1[for] "),
    // After the process ids, which may look the same.
    (r"\b2[1-4]\d{3}\b", "[port]"),
    // Columns are as wide as what is in them.
    (r"(\S) {2,}", "$1  "),
];

/// A scratch folder with a project in it. Its daemon ends with it.
pub(crate) struct Stage {
    scratch: TempDir,
    transcript: String,
    codes: BTreeSet<i32>,
}

/// A `worker` that ended.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("shop")).unwrap();
        let stage = Self { scratch, transcript: String::new(), codes: BTreeSet::new() };
        stage.write(PROJECT);
        stage
    }

    /// Writes `worker.toml` anew.
    pub(crate) fn write(&self, toml: &str) {
        std::fs::write(self.folder().join("worker.toml"), toml).unwrap();
    }

    /// A state folder that cannot be used: others may look into its folder of the socket.
    pub(crate) fn open_state_dir(&self) -> String {
        let state_dir = self.scratch.path().join("open");
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true).mode(0o755).create(state_dir.join("run")).unwrap();
        state_dir.display().to_string()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.scratch.path().join("state")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.scratch.path().join("shop")
    }

    /// `worker WORDS` in the project's folder, with little else in its environment.
    pub(crate) fn worker(&self, words: &str) -> Command {
        self.command(env!("CARGO_BIN_EXE_worker"), words)
    }

    /// The same with another program.
    pub(crate) fn command(&self, program: &str, words: &str) -> Command {
        let_none_be_ignored_by_children();
        let mut command = Command::new(program);
        command.args(words.split_whitespace()).current_dir(self.folder()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.scratch.path()).env("COLUMNS", "80");
        command.env("WORKER_STATE_DIR", self.state_dir());
        command.env("WORKER_CGROUP", "never").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&mut self, words: &str) -> Finished {
        let output = self.worker(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        self.codes.insert(code);
        Finished { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs it and takes down what a person sees. What only shows that something is under way is left
    /// out, as it may be over before.
    pub(crate) fn show(&mut self, words: &str) {
        let Finished { code, stdout, stderr } = self.run(words);
        let is_progress = |line: &&str| line.starts_with("shop/") && line.contains(": ");
        let said = stderr.lines().filter(|line| !is_progress(line));
        let said: String = said.map(|line| format!("! {line}\n")).collect();
        self.note(words, &format!("{stdout}{said}"), code);
    }

    /// Runs it and takes down what a program reads.
    pub(crate) fn show_json(&mut self, words: &str) {
        let words = format!("{words} --json");
        let Finished { code, stdout, stderr } = self.run(&words);
        let pretty = |line: &str| format!("{:#}\n", serde_json::from_str::<Value>(line).unwrap());
        let values: String = stdout.lines().chain(stderr.lines()).map(pretty).collect();
        self.note(&words, &values, code);
    }

    fn note(&mut self, words: &str, text: &str, code: i32) {
        self.transcript += &format!("$ worker {words}\n{text}[exit code {code}]\n\n");
    }

    pub(crate) fn codes(&self) -> &BTreeSet<i32> {
        &self.codes
    }

    /// Compares all that was taken down with the snapshot of this name.
    pub(crate) fn check(&self, name: &str) {
        let transcript = self.transcript.replace(&self.path(self.scratch.path()), "[scratch]");
        let longest = transcript.lines().filter(|line| !line.starts_with(['$', '!']));
        let longest = longest.max_by_key(|line| line.chars().count()).unwrap_or_default();
        assert!(name != "person" || longest.chars().count() <= 80, "too wide: {longest}");
        insta::with_settings!({ filters => REDACTIONS.to_vec(), omit_expression => true }, {
            insta::assert_snapshot!(name, transcript);
        });
    }

    fn path(&self, path: &Path) -> String {
        path.canonicalize().unwrap().display().to_string()
    }

    /// Waits until a slot is in this state.
    pub(crate) fn await_state(&mut self, slot: &str, state: &str) {
        eventually(&format!("{slot} to be {state}"), || {
            let status = self.worker(&format!("status {slot} --json")).output().unwrap();
            let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
            status["slots"][0]["state"] == state
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A test that fails must not leave its daemon behind.
        drop(self.worker("down --all").output());
    }
}
