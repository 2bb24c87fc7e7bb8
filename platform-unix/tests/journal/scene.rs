//! A folder of journals, and trees that dead supervisors might have left.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid as RawPid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;
use worker_platform_unix::journal::{Finding, Start, start};
use worker_platform_unix::{MARKER, Pid};

pub(crate) struct Scene {
    outside: TempDir,
}

/// A supervisor that is dead.
#[derive(Clone)]
pub(crate) struct Dead {
    pub(crate) boot: String,
    pub(crate) namespace: u64,
    pub(crate) pid: Pid,
    start: u64,
    pub(crate) entries: Vec<String>,
}

impl Dead {
    /// One of this boot. No process has such a number.
    pub(crate) fn new(number: Pid) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let namespace = std::fs::metadata("/proc/self/ns/pid").unwrap().ino();
        let pid = 1_000_000_000 + number + 1000 * Pid::try_from(std::process::id()).unwrap();
        Self { boot: boot.trim().to_owned(), namespace, pid, start: 77, entries: Vec::new() }
    }

    /// One that has this process.
    pub(crate) fn of_process(pid: Pid) -> Self {
        Self { pid, start: start_of(pid), ..Self::new(0) }
    }

    pub(crate) fn with(mut self, entry: impl Into<String>) -> Self {
        self.entries.push(entry.into());
        self
    }

    pub(crate) fn with_process(self, pid: Pid) -> Self {
        self.with(format!("process {pid} {}", start_of(pid)))
    }

    pub(crate) fn marker(&self, run: u64) -> String {
        format!("{}:{}:{}:{run}", self.boot, self.pid, self.start)
    }

    pub(crate) fn text(&self) -> String {
        let header = [
            "worker journal 1".to_owned(),
            format!("boot {}", self.boot),
            format!("supervisor {} {} {}", self.pid, self.start, self.namespace),
        ];
        header.iter().chain(&self.entries).map(|line| format!("{line:<63}\n")).collect()
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { outside: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.outside.path().join("journals")
    }

    /// A journal that nobody keeps.
    pub(crate) fn leave(&self, dead: &Dead) -> PathBuf {
        self.leave_text(dead.pid, &dead.text())
    }

    pub(crate) fn leave_text(&self, name: Pid, text: &str) -> PathBuf {
        std::fs::create_dir_all(self.folder()).unwrap();
        let path = self.folder().join(format!("{name}.journal"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What a start finds. Its own journal begins, too.
    #[track_caller]
    pub(crate) fn start(&self) -> Vec<Finding> {
        let Start { findings, journal } = start(&self.folder()).unwrap();
        let own = journal.unwrap();
        assert!(own.path().exists());
        std::fs::remove_file(own.path()).unwrap();
        let mode = self.folder().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "for its owner alone");
        findings
    }
}

/// A tree, each process of which holds the pipe that its output comes from.
pub(crate) struct Tree {
    pub(crate) leader: Pid,
    pub(crate) up: Vec<Pid>,
    output: BufReader<PipeReader>,
}

impl Tree {
    /// Spawns the fixture, and waits until so many processes are up.
    pub(crate) fn grown(marker: Option<&str>, script: &str, count: usize) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker-fixture"));
        command
            .args(script.split_whitespace())
            .stdout(writer)
            .stderr(Stdio::null())
            .env_remove(MARKER);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.envs(marker.map(|marker| (MARKER, marker)));
        let leader = Pid::try_from(command.spawn().unwrap().id()).unwrap();
        drop(command); // It has the pipe open, too.
        let mut tree = Self { leader, up: Vec::new(), output: BufReader::new(reader) };
        while tree.up.len() < count {
            let mut line = String::new();
            tree.output.read_line(&mut line).unwrap();
            let pid = line.strip_prefix("up ").and_then(|up| up.trim().split_once(' ')).unwrap().1;
            tree.up.push(pid.parse().unwrap());
        }
        tree
    }

    /// Fails unless nothing of it lives: waits for the end of the pipe.
    pub(crate) fn check_gone(mut self) {
        self.output.read_to_end(&mut Vec::new()).unwrap();
        reap(self.leader);
    }

    #[track_caller]
    pub(crate) fn check_untouched(&self) {
        for &pid in &self.up {
            assert!(matches!(state_of(pid), Some('R' | 'S')), "{pid}: {:?}", state_of(pid));
        }
    }
}

/// What a test did not end.
impl Drop for Tree {
    fn drop(&mut self) {
        for &pid in self.up.iter().filter(|&&pid| state_of(pid).is_some()) {
            let _ = kill_process(RawPid::from_raw(pid).unwrap(), Signal::KILL);
        }
        reap(self.leader);
    }
}

fn reap(pid: Pid) {
    let _ = waitpid(RawPid::from_raw(pid), WaitOptions::empty());
}

pub(crate) fn state_of(pid: Pid) -> Option<char> {
    stat_of(pid)?.first()?.chars().next()
}

/// Field 22 of proc_pid_stat(5).
pub(crate) fn start_of(pid: Pid) -> u64 {
    stat_of(pid).unwrap()[19].parse().unwrap()
}

/// The fields behind the name.
fn stat_of(pid: Pid) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// Locks a journal, as its supervisor does while it lives.
pub(crate) fn lock(path: &std::path::Path) -> File {
    let file = File::open(path).unwrap();
    file.lock().unwrap();
    file
}
