//! What all scenarios share: a process of their own, trees that prove that they are complete, and
//! a proof that they are gone which asks nothing of the code under test.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command as StdCommand;
use std::time::Duration;

use worker_core::{Exit, Kill, RunId, Signal, Spawn, TreeEnd};
use worker_platform_unix::{
    Command, Input, Output, OutputReader, OutputWriter, Pid, UnixPlatform, output_pipe,
};

use crate::dispositions::let_none_be_ignored_by_children;
use crate::tiers::{self, Means};

/// A test that runs on each tier, each time in a process of its own: a platform owns all children
/// of its process. With `on TIER` it is about that one alone.
macro_rules! scenario {
    ($name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn by_subreaper() {
                let path = concat!(module_path!(), "::by_subreaper");
                $crate::common::isolated(path, $crate::tiers::Means::Subreaper, $body);
            }

            #[test]
            fn by_cgroup() {
                let path = concat!(module_path!(), "::by_cgroup");
                $crate::common::isolated(path, $crate::tiers::Means::Cgroup, $body);
            }
        }
    };
    (on $tier:ident, $name:ident, $body:expr) => {
        #[test]
        fn $name() {
            let path = concat!(module_path!(), "::", stringify!($name));
            $crate::common::isolated(path, $crate::tiers::Means::$tier, $body);
        }
    };
}
pub(crate) use scenario;

const INSIDE: &str = "WORKER_TEST_SCENARIO";

/// Longer than anything takes, also on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a test, given by its full path, in a process of its own.
pub(crate) fn isolated<F: Future<Output = ()>>(
    path: &str,
    means: Means,
    body: impl FnOnce(UnixPlatform) -> F,
) {
    let name = path.split_once("::").unwrap().1; // The test knows its name without the crate's.
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        return inside(means, body);
    }
    let_none_be_ignored_by_children();
    match means.command(&std::env::current_exe().unwrap()) {
        Ok(scenario) => outside(name, scenario),
        Err(why) => return println!("{name}: skipped: {why}"),
    }
    means.clean_up();
}

/// As [`isolated`], as PID 1 of a container. Skipped, with a word, where none can be made.
pub(crate) fn isolated_as_pid_1<F: Future<Output = ()>>(
    path: &str,
    body: impl FnOnce(UnixPlatform) -> F,
) {
    let name = path.split_once("::").unwrap().1;
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        assert_eq!(std::process::id(), 1);
        return inside(Means::Subreaper, body);
    }
    let_none_be_ignored_by_children();
    let container = || {
        let mut unshare = StdCommand::new("unshare");
        unshare.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
        unshare
    };
    #[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
    if !container().arg("true").output().is_ok_and(|probe| probe.status.success()) {
        eprintln!("{name}: skipped: this user can make no PID namespace with unshare");
        return;
    }
    let mut command = container();
    command.arg(std::env::current_exe().unwrap());
    outside(name, command);
}

/// Runs a test in another process.
fn outside(name: &str, mut scenario: StdCommand) {
    scenario.args([name, "--exact", "--nocapture"]).env(INSIDE, name);
    #[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
    let output = scenario.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let ran = output.status.success() && text.contains("1 passed");
    assert!(ran, "{name}: {}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

fn inside<F: Future<Output = ()>>(means: Means, body: impl FnOnce(UnixPlatform) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _leftovers = EndLeftovers;
    // As from a careless parent: every scenario has inherited a descriptor.
    let inherited = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    runtime.block_on(async {
        body(means.platform()).await;
    });
    assert_eq!(own_children(), [], "no child is left, dead or alive");
    assert_eq!(tiers::own_folders(), [""; 0], "no cgroup is left");
}

/// Ends what a failed scenario leaves behind.
struct EndLeftovers;

impl Drop for EndLeftovers {
    fn drop(&mut self) {
        while let children = own_children()
            && !children.is_empty()
        {
            children.into_iter().for_each(|pid| send(pid, rustix::process::Signal::KILL));
            let _ = rustix::process::wait(rustix::process::WaitOptions::empty());
        }
    }
}

/// What this takes, or a failure.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this should have happened by now")
}

/// Our children, dead ones included, as the kernel tells them.
pub(crate) fn own_children() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let lists = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("children")));
    let lists: Vec<_> = lists.map(Result::unwrap).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).map(|pid| pid.parse().unwrap()).collect()
}

/// The state letter of a process, such as `T` for a stopped one.
pub(crate) fn state_of(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// Neither stopped nor dead.
pub(crate) fn lives(pid: Pid) -> bool {
    matches!(state_of(pid), Some('R' | 'S' | 'D'))
}

/// Waits until something outside of us is so. There is nothing to wake us, so it looks again.
pub(crate) async fn until(what: impl Fn() -> bool) {
    soon(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

pub(crate) fn send(pid: Pid, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

pub(crate) fn fixture() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_worker-fixture"));
    std::env::var_os("WORKER_FIXTURE").map_or(built, PathBuf::from)
}

/// The fixture with a script, its words separated by spaces.
pub(crate) fn command(script: &str) -> Command {
    Command {
        program: fixture(),
        args: script.split_whitespace().map(OsString::from).collect(),
        env: Vec::new(),
        dir: PathBuf::from("/"),
        task_limit: None,
        stdin: Input::Null,
        stdout: Output::Null,
        stderr: Output::Inherit,
    }
}

pub(crate) fn piped(script: &str, writer: OutputWriter) -> Command {
    Command { stdout: Output::Pipe(writer), ..command(script) }
}

/// A running tree. Every process of it holds the pipe that its output comes from.
pub(crate) struct Tree {
    pub(crate) run: RunId,
    pub(crate) leader: Pid,
    /// The processes that said `up`, by name.
    pub(crate) up: BTreeMap<String, Pid>,
    /// What was printed besides, and not asked for yet.
    said: VecDeque<String>,
    lines: Lines,
}

impl Tree {
    /// Spawns it, and waits until so many processes are up.
    pub(crate) async fn grown(
        platform: &UnixPlatform,
        run: u64,
        script: &str,
        count: usize,
    ) -> Self {
        let run = RunId::new(run);
        let (reader, writer) = output_pipe().unwrap();
        let leader = platform.spawn(run, piped(script, writer)).await.unwrap().pid;
        let mut tree = Self {
            run,
            leader,
            up: BTreeMap::new(),
            said: VecDeque::new(),
            lines: Lines::new(reader),
        };
        while tree.up.len() < count {
            let line = soon(tree.lines.next()).await.expect("the tree is still growing");
            match line.strip_prefix("up ").and_then(|up| up.split_once(' ')) {
                Some((name, pid)) => drop(tree.up.insert(name.to_owned(), pid.parse().unwrap())),
                None => tree.said.push_back(line),
            }
        }
        tree
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        match self.said.pop_front() {
            Some(line) => line,
            None => soon(self.lines.next()).await.expect("a line, not the end"),
        }
    }

    pub(crate) fn pid(&self, name: &str) -> Pid {
        self.up[name]
    }

    /// The leader dies, and what is left is killed, as after a crash.
    pub(crate) async fn crash(&self, platform: &UnixPlatform) -> TreeEnd {
        send(self.leader, rustix::process::Signal::KILL);
        assert_eq!(soon(platform.leader_exit(self.run)).await, Exit::Signal(Signal::Kill));
        self.kill(platform).await
    }

    /// As when the grace of a stop is over.
    pub(crate) async fn kill(&self, platform: &UnixPlatform) -> TreeEnd {
        platform.kill_group(self.run).await;
        platform.kill_escapees(self.run).await;
        let _ = soon(platform.leader_exit(self.run)).await;
        soon(platform.tree_gone(self.run)).await
    }

    /// Waits until no process of it lives.
    pub(crate) async fn lines_end(mut self) {
        while soon(self.lines.next()).await.is_some() {}
    }

    /// Everything that it prints from here to its end. That there is an end proves that no process
    /// of it lives: each holds the pipe. And none of those that were up is left as a zombie.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        let mut rest = Vec::from(std::mem::take(&mut self.said));
        while let Some(line) = soon(self.lines.next()).await {
            rest.push(line);
        }
        // Their ends of the pipe close before they can be reaped.
        until(|| !own_children().iter().any(|child| self.up.values().any(|pid| pid == child)))
            .await;
        rest
    }
}

/// Reaps a child, where no platform does it any more.
pub(crate) fn reap(pid: Pid) {
    let pid = rustix::process::Pid::from_raw(pid);
    rustix::process::waitpid(pid, rustix::process::WaitOptions::empty()).unwrap();
}

/// Output by line.
pub(crate) struct Lines {
    reader: OutputReader,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(reader: OutputReader) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next line; none at the end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let mut chunk = [0; 4096];
            match self.reader.read(&mut chunk).await.unwrap() {
                0 => return None,
                length => self.buffer.extend(&chunk[..length]),
            }
        }
    }
}
