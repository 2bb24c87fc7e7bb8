//! Each signal of the job arrives once.

use std::process::Command;

use rustix::process::Signal;

use crate::common::{IDLE, group, prepared, send, start, worker};

/// Says which signals it gets, and ends by SIGTERM a moment later.
const COUNTING: &str = "for name in USR1 USR2 QUIT WINCH; do trap \"echo got $name\" $name; done
    trap 'echo got TERM; sleep 0.2; exit 7' TERM; ";

#[test]
fn the_two_processes_are_in_different_groups() {
    let running = start(worker(&[], IDLE));
    let (guardian, supervisor) = (running.guardian(), running.supervisor());
    assert_eq!(group(guardian), guardian);
    assert_eq!(group(supervisor), supervisor);
    send(guardian, Signal::TERM);
    assert_eq!(running.finish().0, Some(128 + 15));
}

#[test]
fn each_signal_is_passed_on_once_even_if_both_processes_got_it() {
    let running = start(worker(&[], &format!("{COUNTING}{IDLE}")));
    let (guardian, supervisor) = (running.guardian(), running.supervisor());
    let mut expected = Vec::new();
    for (name, signal) in [
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
        ("QUIT", Signal::QUIT),
        ("WINCH", Signal::WINCH),
    ] {
        send(supervisor, signal);
        send(guardian, signal);
        running.output.expect(&format!("got {name}"));
        expected.push(name);
    }
    send(supervisor, Signal::TERM);
    send(guardian, Signal::TERM);
    let (code, rest) = running.finish();
    assert_eq!(rest, ["got TERM"], "nothing came twice");
    assert_eq!(code, Some(7), "two signals to two processes are one stop, and its grace is kept");
}

#[test]
fn a_second_signal_ends_the_grace() {
    let running = start(worker(&[], &format!("trap 'echo got TERM' TERM; {IDLE}")));
    send(running.guardian(), Signal::INT);
    running.output.expect("got TERM");
    send(running.guardian(), Signal::INT);
    assert_eq!(running.finish().0, Some(137));
}

#[test]
fn a_signal_to_the_supervisor_alone_stops_it_too() {
    let running = start(worker(&[], &format!("{COUNTING}{IDLE}")));
    send(running.supervisor(), Signal::TERM);
    assert_eq!(running.finish().0, Some(7));
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_worker")).args(["run", "--", "sh", "-c"]);
    command.arg(format!("{COUNTING}{IDLE}"));
    let running = start(prepared(command));
    send(running.guardian(), Signal::HUP);
    send(running.supervisor(), Signal::HUP);
    send(running.guardian(), Signal::USR1);
    running.output.expect("got USR1");
    send(running.guardian(), Signal::TERM);
    let (code, rest) = running.finish();
    assert_eq!((code, rest), (Some(7), vec!["got TERM".to_owned()]));
}

#[test]
fn the_exit_code_is_passed_on() {
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("kill -USR1 $$", 128 + 10)] {
        let running = start(worker(&["--restart", "never"], &format!("echo up $$; {script}")));
        assert_eq!(running.finish().0, Some(code), "{script}");
    }
}
