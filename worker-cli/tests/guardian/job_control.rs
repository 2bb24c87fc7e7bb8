//! Ctrl-Z and `fg` as signals, in every order.

use std::process::Command;

use rustix::process::Signal;

use crate::common::{IDLE, Running, eventually, prepared, send, start, state, worker};

const ANSWERING: &str = "trap 'echo here' USR1; trap 'exit 4' TERM; ";

fn answering() -> Running {
    start(worker(&[], &format!("{ANSWERING}{IDLE}")))
}

fn states(running: &Running) -> [Option<char>; 3] {
    [running.guardian(), running.supervisor(), running.leader].map(state)
}

/// It is not stopped, nor will it be: it answers, and ends as it should.
fn check_it_goes_on(running: Running) {
    send(running.guardian(), Signal::USR1);
    running.output.expect("here");
    send(running.guardian(), Signal::TERM);
    assert_eq!(running.finish().0, Some(4));
}

#[test]
fn ctrl_z_stops_the_tree_then_the_supervisor_then_the_guardian() {
    let running = answering();
    for _ in 0..3 {
        send(running.guardian(), Signal::TSTP);
        eventually("the guardian to stop", || state(running.guardian()) == Some('T'));
        assert_eq!(state(running.supervisor()), Some('T'), "it stopped before");
        // It has its SIGSTOP, and stops as soon as it gets the processor.
        eventually("the leader to stop", || state(running.leader) == Some('T'));
        send(running.guardian(), Signal::CONT);
        eventually("all to go on", || states(&running).iter().all(|state| *state != Some('T')));
    }
    check_it_goes_on(running);
}

#[test]
fn a_stop_that_is_taken_back_at_once_leaves_nothing_stopped() {
    let running = answering();
    for round in 0..200 {
        send(running.guardian(), Signal::TSTP);
        // Each time the answer has come a little further.
        (0..round).for_each(|_| rustix::thread::sched_yield());
        send(running.guardian(), Signal::CONT);
    }
    eventually("all to go on", || states(&running).iter().all(|state| *state != Some('T')));
    check_it_goes_on(running);
}

#[test]
fn a_supervisor_that_somebody_stopped_alone_is_continued() {
    let running = answering();
    send(running.supervisor(), Signal::STOP);
    check_it_goes_on(running);
}

#[test]
fn where_nobody_could_continue_it_ctrl_z_stops_nothing() {
    // The leader of a session is alone in an orphaned group: the kernel never stops it by SIGTSTP.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_worker"));
    command.args(["run", "--", "sh", "-c", &format!("{ANSWERING}{IDLE}")]);
    let mut running = start(prepared(command));
    let guardian = crate::common::parent(crate::common::parent(running.leader));
    send(guardian, Signal::TSTP);
    send(guardian, Signal::USR1);
    running.output.expect("here");
    send(guardian, Signal::TERM);
    running.output.rest();
    assert_eq!(running.end(), Some(4));
}
