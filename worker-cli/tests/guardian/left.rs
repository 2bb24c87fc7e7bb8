//! What a clean exit leaves behind on purpose.

use std::os::fd::OwnedFd;

use rustix::process::Signal;

use crate::common::{Running, events, eventually, lives, parent, send, start, worker};

/// A leader that leaves a process behind, which holds no output.
const LEAVING: &str = "setsid sleep 60 >/dev/null 2>&1 & echo left $!; echo up $$; exit 0";

#[test]
fn contract_2_a_clean_exit_leaves_what_was_left_on_purpose() {
    let mut command = worker(&[], LEAVING);
    let mut child = command.spawn().unwrap();
    let output = crate::common::Lines::of(child.stdout.take().unwrap());
    let left: i32 = output.expect("left ").rsplit(' ').next().unwrap().parse().unwrap();
    let running = Running { child, output, leader: left };
    assert_eq!(running.finish().0, Some(0));
    let lived = lives(left);
    let new_parent = parent(left);
    send(left, Signal::KILL);
    assert!(lived, "it was ended with the guardian");
    assert_ne!(new_parent, left);
}

#[test]
fn on_clean_exit_reap_leaves_nothing() {
    let script = "sleep 60 & setsid sleep 60 & echo up $$; exit 0";
    let running = start(worker(&["--on-clean-exit", "reap"], script));
    assert_eq!(running.finish().0, Some(0));
}

/// The supervisor says goodbye, and is killed before it exits. Its stderr is full, so it waits for a
/// second there; where that was not enough for us to see it, we try again.
#[test]
fn a_supervisor_that_is_killed_at_the_end_leaves_nothing_released() {
    for _ in 0..20 {
        if kill_at_the_end() == Some(137) {
            return;
        }
    }
    panic!("the supervisor was never found at its end");
}

fn kill_at_the_end() -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let (_unread, full) = full_pipe();
    // It waits for us, so that we know the supervisor before it ends.
    let script = "setsid sleep 60 >/dev/null 2>&1 & left=$!
        trap 'exit 0' USR1; echo left $left; echo up $$; while :; do sleep 60 & wait $!; done";
    let mut command = worker(&["--events", file.to_str().unwrap()], script);
    command.stderr(full);
    let mut child = command.spawn().unwrap();
    let output = crate::common::Lines::of(child.stdout.take().unwrap());
    let left: i32 = output.expect("left ").rsplit(' ').next().unwrap().parse().unwrap();
    let leader = output.expect("up ").rsplit(' ').next().unwrap().parse().unwrap();
    let mut running = Running { child, output, leader };
    let supervisor = running.supervisor();
    send(leader, Signal::USR1);
    eventually("the end of the run", || events(&file).iter().any(|kind| kind == "stopped"));
    // It may have ended meanwhile.
    let supervisor = rustix::process::Pid::from_raw(supervisor).unwrap();
    let _ = rustix::process::kill_process(supervisor, Signal::KILL);
    let code = running.end();
    if code == Some(137) {
        assert!(!lives(left), "a process was spared without being told of in time");
    } else {
        send(left, Signal::KILL);
    }
    code
}

/// A pipe that takes nothing more.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}
