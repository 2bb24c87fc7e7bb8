//! SIGKILL to one of the two processes.

use std::process::Command;

use rustix::process::Signal;

use crate::common::{
    IDLE, Running, eventually, lives, parent, prepared, send, start, state, worker,
};

/// Starts it, and waits until so many processes beside the leader say that they are there.
fn grown(script: &str, members: usize) -> Running {
    let running = start(worker(&[], script));
    for _ in 0..members {
        running.output.expect("member");
    }
    running
}

fn check_nothing_outlives_the_supervisor(running: Running) {
    send(running.supervisor(), Signal::KILL);
    assert_eq!(running.finish().0, Some(128 + 9));
}

#[test]
fn a_supervisor_that_is_killed_leaves_nothing_behind() {
    // One left its session, its parent and its environment, one is stopped, one forks for ever; and
    // all ignore what can be ignored.
    let script = "trap '' TERM HUP INT; echo up $$
        setsid env -i sh -c '(echo member; exec sleep 60) & exit' &
        sh -c 'echo member; kill -STOP $$' &
        sh -c 'echo member; while :; do sleep 0.01; done' &
        while :; do sleep 60; done";
    check_nothing_outlives_the_supervisor(grown(script, 3));
}

#[test]
fn a_tree_of_hundreds_with_escapees_ends_with_its_supervisor() {
    let script = "echo up $$; for i in $(seq 100); do
            (echo member; exec sleep 60) &
            setsid sh -c '(echo member; exec sleep 60) & exit' &
        done; wait; exec sleep 60";
    check_nothing_outlives_the_supervisor(grown(script, 200));
}

#[test]
fn a_chain_that_respawns_itself_in_sessions_of_its_own_ends_with_its_supervisor() {
    let script = "again='echo member; sleep 0.001; setsid sh -c \"$1\" sh \"$1\" & exit'
        echo up $$; setsid sh -c \"$again\" sh \"$again\" & exec sleep 60";
    check_nothing_outlives_the_supervisor(grown(script, 10));
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
    eventually("the guardian to stop", || state(running.guardian()) == Some('T'));
    assert_eq!(state(supervisor), Some('T'));
    send(running.guardian(), Signal::KILL);
    assert_eq!(running.finish().0, Some(-9));
}

#[test]
fn so_it_is_where_no_group_is_orphaned_by_that() {
    // The outer supervisor adopts the inner one, and is in its session: the kernel continues nothing.
    let nested = format!("trap 'echo bye; exit' TERM; {IDLE}");
    let mut command = worker(&[], "\"$WORKER\" run -- sh -c \"$NESTED\" & wait; exec sleep 60");
    command.env("WORKER", env!("CARGO_BIN_EXE_worker")).env("NESTED", nested);
    let running = start(command);
    let supervisor = parent(running.leader);
    let guardian = parent(supervisor);
    send(guardian, Signal::TSTP);
    eventually("the inner guardian to stop", || state(guardian) == Some('T'));
    send(guardian, Signal::KILL);
    running.output.expect("bye");
    eventually("the end of its supervisor", || !lives(supervisor));
    send(running.guardian(), Signal::TERM);
    assert_eq!(running.finish().0, Some(128 + 15));
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
