//! Blocks of ports.

use std::net::TcpListener;

use crate::common::run_sh;

const SHOW: &str = "echo port $PORT, then $PORT_1; exec sleep 600";

#[test]
fn the_ports_of_a_run_are_in_its_environment_and_its_events() {
    let running = run_sh(&["--ports", "2"], SHOW).start();
    let line = running.await_stdout("port");
    let ports = running.await_event("spawned")["ports"].clone();
    assert_eq!(line, format!("port {}, then {}", ports[0], ports[1]));
    running.signal("TERM");
    running.finish().check_code(143);
}

#[test]
fn rule_7_two_supervisors_never_hand_out_the_same_port() {
    let start = || run_sh(&["--ports", "2"], SHOW).start();
    let both = [start(), start()];
    let lines = both.each_ref().map(|running| running.await_stdout("port"));
    assert_ne!(lines[0], lines[1]);
    for running in both {
        running.signal("TERM");
        running.finish();
    }
}

#[test]
fn contract_12_a_crash_keeps_the_block() {
    let script = "echo port $PORT; exit 1";
    let options = ["--ports", "1", "--max-failures", "3", "--backoff", "1ms"];
    let finished = run_sh(&options, script).finish();
    finished.check_code(5);
    let stdout = finished.stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| *line == lines[0]), "{lines:?}");
}

#[test]
fn without_free_ports_it_ends_with_1_and_names_who_holds_them() {
    let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = holder.local_addr().unwrap().port();
    let range = format!("{port}-{port}");
    let finished = run_sh(&["--ports", "1", "--port-range", &range], "true").finish();
    finished.check_code(1).check_stderr(&format!("{port} is held by pid {} `", std::process::id()));
    assert_eq!(finished.of_kind("spawned").len(), 0);
}

#[test]
fn a_port_that_is_kept_for_another_command_names_its_supervisor() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let range = format!("{free}-{free}");
    let options = ["--ports", "1", "--port-range", &range];
    let first = run_sh(&options, SHOW).start();
    first.await_stdout("port");
    let second = run_sh(&options, "true").finish();
    let claimant = format!("is kept for a command of pid {} `", first.supervisor());
    second.check_code(1).check_stderr(&claimant);
    first.signal("TERM");
    first.finish();
}
