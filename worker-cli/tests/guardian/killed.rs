//! SIGKILL to one of the two processes.

use std::process::Command;

use rustix::process::Signal;

use crate::common::{IDLE, lives, parent, prepared, send, start, state, worker};

/// Ignores what can be ignored, escapes from group and session, loses its parent, and forgets its
/// environment. Three of them, and the leader.
const AWKWARD: &str = "trap '' TERM HUP INT
    setsid env -i sh -c 'trap \"\" TERM HUP INT; (sleep 60 & sleep 60) & sleep 60 & exit' &
    sh -c 'kill -STOP $$' &
    sh -c 'while :; do sleep 0.01; done' &
    while ! pgrep -P $$ sleep > /dev/null && [ \"$(ps -o stat= -p $!)\" = x ]; do :; done
    echo up $$; while :; do sleep 60; done";

#[test]
fn a_supervisor_that_is_killed_leaves_nothing_behind() {
    let running = start(worker(&[], AWKWARD));
    send(running.supervisor(), Signal::KILL);
    let (code, _) = running.finish();
    assert_eq!(code, Some(128 + 9));
}

#[test]
fn a_tree_of_hundreds_with_escapees_ends_with_its_supervisor() {
    let script = "for i in $(seq 100); do sleep 60 & setsid sh -c 'sleep 60 & exit' & done
        while [ $(pgrep -c -s 0 sleep) -lt 100 ]; do :; done; echo up $$; wait";
    let running = start(worker(&[], script));
    send(running.supervisor(), Signal::KILL);
    assert_eq!(running.finish().0, Some(137));
}

#[test]
fn a_pair_that_respawns_each_other_ends_with_its_supervisor() {
    let respawn = "f() { setsid sh -c \"$1\" sh \"$1\" & wait $!; }
        again='sleep 0.001; setsid sh -c \"$1\" sh \"$1\" & exit'
        setsid sh -c \"$again\" sh \"$again\" & echo up $$; sleep 60";
    let running = start(worker(&[], respawn));
    send(running.supervisor(), Signal::KILL);
    assert_eq!(running.finish().0, Some(137));
}

#[test]
fn a_guardian_that_is_killed_makes_the_supervisor_stop_in_order() {
    let script = format!("trap 'echo bye; exit' TERM; {IDLE}");
    let running = start(worker(&[], &script));
    send(running.guardian(), Signal::KILL);
    let (code, rest) = running.finish();
    assert_eq!(code, Some(-9));
    assert_eq!(rest, ["bye"], "the leader had its grace");
}

#[test]
fn a_guardian_that_is_killed_while_all_are_stopped_leaves_nothing_behind() {
    let running = start(worker(&[], IDLE));
    let supervisor = running.supervisor();
    send(running.guardian(), Signal::TSTP);
    crate::common::eventually("the guardian to stop", || state(running.guardian()) == Some('T'));
    assert_eq!(state(supervisor), Some('T'));
    send(running.guardian(), Signal::KILL);
    assert_eq!(running.finish().0, Some(-9));
}

#[test]
fn processes_that_were_there_before_are_spared() {
    let script = format!(
        "sleep 60 >/dev/null & echo before $!; exec {} run -- sh -c '{IDLE}'",
        env!("CARGO_BIN_EXE_worker")
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let mut child = prepared(command);
    let mut child = child.spawn().unwrap();
    let output = crate::common::Lines::of(child.stdout.take().unwrap());
    let before = output.expect("before ").rsplit(' ').next().unwrap().parse().unwrap();
    let leader: i32 = output.expect("up ").rsplit(' ').next().unwrap().parse().unwrap();
    send(parent(leader), Signal::KILL);
    output.rest();
    let spared = lives(before);
    send(before, Signal::KILL);
    assert!(spared, "a stranger was ended");
    #[expect(clippy::disallowed_methods, reason = "the test started it")]
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(137));
}

#[test]
fn a_nested_worker_has_a_guardian_of_its_own() {
    let nested = format!("exec {} run -- sh -c '{IDLE}'", env!("CARGO_BIN_EXE_worker"));
    let running = start(worker(&["--restart", "never"], &nested));
    let inner_supervisor = parent(running.leader);
    let inner_guardian = parent(inner_supervisor);
    assert_eq!(parent(parent(inner_guardian)), running.guardian());
    send(inner_supervisor, Signal::KILL);
    assert_eq!(running.finish().0, Some(137), "passed on through both");
}
