//! A supervisor that is dead for whoever looks at it, and still holds its journal: the first of its
//! threads has ended, the last has not.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use worker_platform_unix::Pid;
use worker_platform_unix::journal::{Finding, start};

use crate::scene::{Dead, Scene, Tree, state_of};

#[test]
#[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
fn what_a_supervisor_leaves_whose_last_thread_is_ending_is_found() {
    let scene = Scene::new();
    let journal = scene.leave_text(1, "");
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_worker-fixture"));
    supervisor.arg("lock").arg(&journal).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut supervisor = supervisor.spawn().unwrap();
    let mut said = BufReader::new(supervisor.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "locked");
    let pid = Pid::try_from(supervisor.id()).unwrap();
    until(|| state_of(pid) == Some('Z'));
    let dead = Dead::of_process(pid);
    std::fs::write(&journal, dead.text()).unwrap();
    let tree = Tree::grown(Some(&dead.marker(1)), "fork { setsid up a sleep } up leader sleep", 2);

    let folder = scene.folder();
    let next = std::thread::spawn(move || start(&folder).unwrap().findings);
    until(|| next.is_finished() || a_start_waits());
    tree.check_untouched();
    drop(supervisor.stdin.take());
    let findings = next.join().unwrap();
    let is_it = |it: &Finding| matches!(it, Finding::Ended { supervisor, killed: 2, .. } if *supervisor == pid);
    assert!(findings.len() == 1 && is_it(&findings[0]), "{findings:?}");
    tree.check_gone();
    assert!(supervisor.wait().unwrap().success());
}

/// In a thread of that name.
fn a_start_waits() -> bool {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let mut names = tasks.map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.any(|name| name.is_ok_and(|name| name == "lock\n"))
}

#[expect(clippy::disallowed_methods, reason = "nothing tells of what is waited for")]
fn until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::sleep(Duration::from_millis(1));
    }
}
