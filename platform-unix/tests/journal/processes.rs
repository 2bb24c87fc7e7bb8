//! Which processes are ended, and which are not.

use std::process::Command;

use rustix::process::{Pid as RawPid, Signal, kill_process};
use worker_platform_unix::Pid;
use worker_platform_unix::journal::{Finding, start, survey};

use crate::scene::{Dead, Scene, Tree, lock, start_of};

/// One process that stays, and the usual ways to get away from it.
const ESCAPEES: &str = "\
    fork { up child fork { up grandchild sleep } sleep } \
    fork { setpgid up other-group sleep } \
    fork { setsid up other-session sleep } \
    daemon { up daemon fork { up daemons-child sleep } sleep } \
    fork { ignore SIGTERM ignore SIGINT ignore SIGHUP up stubborn sleep } \
    fork { setsid up stopped stop sleep } \
    fork { respawn-pair } fork { respawn-pair-setsid } \
    up leader sleep";

/// So many say that they are up. The pairs do not: when the leader is up, one of each is there.
const COUNT: usize = 9;

#[track_caller]
fn check_ended(findings: &[Finding], dead: &Dead, at_least: usize) {
    match findings {
        [Finding::Ended { supervisor, killed, survivors }] => {
            assert_eq!((*supervisor, survivors.as_slice()), (dead.pid, [].as_slice()));
            assert!(*killed >= at_least, "{killed} of at least {at_least}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_marker_alone_finds_everything_that_kept_it() {
    let scene = Scene::new();
    let dead = Dead::new(1);
    let tree = Tree::grown(Some(&dead.marker(3)), ESCAPEES, COUNT);
    let journal = scene.leave(&dead);
    check_ended(&scene.start(), &dead, COUNT + 2);
    tree.check_gone();
    assert!(!journal.exists(), "nothing is behind it any more");
}

#[test]
fn an_entry_finds_a_leader_without_a_marker_and_all_that_is_below_it() {
    let scene = Scene::new();
    let script = "fork { setsid up a sleep } fork { setpgid respawn-pair-setsid } up leader sleep";
    let tree = Tree::grown(None, script, 2);
    let dead = Dead::new(2).with_process(tree.leader);
    scene.leave(&dead);
    check_ended(&scene.start(), &dead, 3);
    tree.check_gone();
}

#[test]
fn a_tree_that_forks_while_it_is_killed_is_gone() {
    let scene = Scene::new();
    let dead = Dead::new(3);
    let script = "fork { fork-many 300 sleep } fork { setsid fork-many 300 sleep } up leader sleep";
    let tree = Tree::grown(Some(&dead.marker(1)), script, 1);
    scene.leave(&dead);
    check_ended(&scene.start(), &dead, 3);
    tree.check_gone();
}

#[test]
fn several_dead_supervisors_are_told_apart() {
    let scene = Scene::new();
    let dead = [Dead::new(4), Dead::new(5)];
    let trees = dead.clone().map(|dead| {
        scene.leave(&dead);
        Tree::grown(Some(&dead.marker(1)), "fork { setsid up a sleep } up leader sleep", 2)
    });
    let findings = scene.start();
    check_ended(&findings[..1], &dead[0], 2);
    check_ended(&findings[1..], &dead[1], 2);
    trees.into_iter().for_each(Tree::check_gone);
}

#[test]
fn a_supervisor_in_the_tree_of_a_dead_one_belongs_to_that_tree() {
    let scene = Scene::new();
    let (outer, inner) = (Dead::new(6), Dead::new(7));
    let marker = format!("{},{}", outer.marker(1), inner.marker(9));
    let tree = Tree::grown(Some(&marker), "fork { setsid up a sleep } up leader sleep", 2);
    let inner_journal = scene.leave(&inner);
    let _inner_lives = lock(&inner_journal);
    scene.leave(&outer);
    check_ended(&scene.start(), &outer, 2);
    tree.check_gone();
    assert!(inner_journal.exists());
}

#[test]
fn a_living_supervisor_keeps_its_trees() {
    let scene = Scene::new();
    let living = Dead::new(8);
    let tree = Tree::grown(Some(&living.marker(1)), "fork { up a sleep } up leader sleep", 2);
    let journal = scene.leave(&living.with_process(tree.leader));
    let _lock = lock(&journal);
    assert!(scene.start().is_empty());
    tree.check_untouched();
    assert!(journal.exists());
}

#[test]
fn what_was_left_on_purpose_lives_on() {
    let scene = Scene::new();
    let dead = Dead::new(9).with("released 1");
    let [left, ended] =
        [1, 2].map(|run| Tree::grown(Some(&dead.marker(run)), "up leader sleep", 1));
    scene.leave(&dead);
    check_ended(&scene.start(), &dead, 1);
    ended.check_gone();
    left.check_untouched();
}

#[test]
fn an_entry_of_an_earlier_boot_means_nobody() {
    let scene = Scene::new();
    let mut dead = Dead::new(10);
    dead.boot = "00000000-0000-0000-0000-000000000000".to_owned();
    let tree = Tree::grown(None, "up leader sleep", 1);
    let journal = scene.leave(&dead.with_process(tree.leader));
    assert!(scene.start().is_empty());
    tree.check_untouched();
    assert!(!journal.exists(), "there is nothing more to find by it");
}

#[test]
fn an_entry_of_another_process_namespace_means_nobody_here() {
    let scene = Scene::new();
    let mut dead = Dead::new(11);
    dead.namespace += 1;
    let tree = Tree::grown(Some(&dead.marker(1)), "up leader sleep", 1);
    let journal = scene.leave(&dead.with_process(tree.leader));
    assert!(scene.start().is_empty());
    tree.check_untouched();
    assert!(journal.exists(), "the next start over there needs it");
}

#[test]
fn a_bystander_that_has_the_number_now_is_untouched() {
    in_process_namespace("processes::beside_a_process_that_has_the_number_now");
}

#[test]
#[ignore = "a part of the test above"]
fn beside_a_process_that_has_the_number_now() {
    let scene = Scene::new();
    let old = Tree::grown(None, "up leader sleep", 1);
    let dead = Dead::new(12).with_process(old.leader);
    let (number, began) = (old.leader, start_of(old.leader));
    drop(old);
    let bystander = recycled(number, began);
    scene.leave(&dead);
    assert!(scene.start().is_empty());
    bystander.check_untouched();
}

/// Runs a test where the numbers of processes are nobody else's: other tests of this machine would
/// meet theirs again, too. Skipped, with a word, where that cannot be.
#[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
fn in_process_namespace(test: &str) {
    let unshared = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
        unshare
    };
    if !unshared().arg("true").output().is_ok_and(|probe| probe.status.success()) {
        eprintln!("skipped: this user can make no PID namespace with unshare");
        return;
    }
    let mut inside = unshared();
    inside.arg(std::env::current_exe().unwrap()).args([test, "--exact", "--ignored"]);
    let output = inside.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// A tree, the leader of which has this number and did not start at that time.
fn recycled(number: Pid, began: u64) -> Tree {
    // In the same tick of 10 ms the start would be the same, too: a number comes round that fast only
    // because we choose it.
    while start_of(Tree::grown(None, "up leader sleep", 1).leader) == began {}
    std::fs::write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).unwrap();
    let tree = Tree::grown(None, "fork { up child sleep } up leader sleep", 2);
    assert_eq!(tree.leader, number);
    tree
}

#[test]
fn a_look_finds_what_is_left_and_touches_nothing() {
    let scene = Scene::new();
    let dead = Dead::new(13);
    let tree = Tree::grown(Some(&dead.marker(1)), "fork { setsid up a sleep } up leader sleep", 2);
    let journal = scene.leave(&dead);
    let found = survey(&scene.folder()).unwrap();
    assert_eq!((found.left.len(), found.live), (1, 0));
    assert_eq!(found.left[0].supervisor, dead.pid);
    let (mut left, mut up) = (found.left[0].processes.clone(), tree.up.clone());
    left.sort_unstable();
    up.sort_unstable();
    assert_eq!(left, up);
    tree.check_untouched();
    assert!(journal.exists());
}

#[test]
fn two_starts_at_once_end_it_once() {
    let scene = Scene::new();
    let dead = Dead::new(14);
    let tree = Tree::grown(Some(&dead.marker(1)), ESCAPEES, COUNT);
    scene.leave(&dead);
    let folder = scene.folder();
    let starts = [(); 2].map(|()| {
        let folder = folder.clone();
        std::thread::spawn(move || start(&folder).unwrap().findings)
    });
    let findings: Vec<_> = starts.into_iter().flat_map(|start| start.join().unwrap()).collect();
    check_ended(&findings, &dead, COUNT + 2);
    tree.check_gone();
}

#[test]
fn a_leftover_that_ended_meanwhile_is_no_news() {
    let scene = Scene::new();
    let tree = Tree::grown(None, "up leader sleep", 1);
    scene.leave(&Dead::new(16).with_process(tree.leader));
    // A zombie, until the test reaps it.
    kill_process(RawPid::from_raw(tree.leader).unwrap(), Signal::KILL).unwrap();
    rustix::process::waitid(
        rustix::process::WaitId::Pid(RawPid::from_raw(tree.leader).unwrap()),
        rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
    )
    .unwrap();
    assert!(scene.start().is_empty());
}
