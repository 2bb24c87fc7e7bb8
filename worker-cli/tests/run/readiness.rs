//! Readiness: each kind of probe, strangers, and timeouts.

use std::net::TcpListener;

use crate::child::run_child;
use crate::common::{Finished, Running, Worker, run_sh};

/// Stops once it is ready.
fn ready(worker: Worker) -> Finished {
    let running = worker.start();
    stop_when_ready(running)
}

fn stop_when_ready(running: Running) -> Finished {
    running.await_event("ready");
    running.signal("TERM");
    let finished = running.finish();
    assert_eq!(finished.of_kind("ready").len(), 1, "readiness comes once per run");
    finished
}

#[track_caller]
fn check_owner(finished: &Finished, owner: &str) {
    assert_eq!(finished.of_kind("ready")[0]["owner"], owner, "{:?}", finished.of_kind("ready"));
}

#[test]
fn without_a_probe_it_is_ready_once_it_is_spawned() {
    let finished = ready(run_sh(&[], "exec sleep 600"));
    assert_eq!(finished.kinds()[..3], ["starting", "spawned", "ready"]);
    assert_eq!(finished.of_kind("ready")[0]["owner"], serde_json::Value::Null);
}

#[test]
fn http_is_ready_with_the_first_good_status() {
    let options = ["--ports", "1", "--ready", "http=/health"];
    let finished = ready(run_child(&options, "http-late"));
    check_owner(&finished, "own");
    let stdout = finished.stdout();
    let answers: Vec<&str> = stdout.lines().filter(|line| line.contains("/health")).collect();
    let expected = ["503", "404", "302"].map(|status| format!("{status} for GET /health HTTP/1.1"));
    assert_eq!(answers, expected);
}

#[test]
fn tcp_is_ready_when_the_command_listens() {
    let finished = ready(run_child(&["--ports", "1", "--ready", "tcp"], "http"));
    check_owner(&finished, "own");
    assert!(!finished.stdout().contains("200 for"), "no connection is made: {}", finished.stdout());
}

#[test]
fn rule_7_a_stranger_on_the_port_does_not_make_it_ready() {
    let stranger = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let probe = format!("tcp={}", stranger.local_addr().unwrap().port());
    let options = ["--ready", &probe, "--ready-timeout", "200ms", "--max-failures", "1"];
    let finished = run_child(&options, "silent").finish();
    finished.check_code(5).check_stderr("not ready within 200ms");
    finished.check_stderr(&format!("is held by pid {} `", std::process::id()));
    assert_eq!(finished.of_kind("ready").len(), 0);
}

#[test]
fn log_is_ready_when_a_line_matches_and_the_output_passes_through() {
    let script = "echo starting; echo 'listening on 80' >&2; exec sleep 600";
    let finished = ready(run_sh(&["--ready", "log=listening on [0-9]+"], script));
    check_owner(&finished, "own");
    assert_eq!(finished.stdout(), "starting\n");
    finished.check_stderr("listening on 80\n");
}

#[test]
fn exec_is_ready_when_the_command_succeeds_in_the_environment_of_the_run() {
    let probe = "exec=sh -c 'test \"$WORKER_RUN\" = 1 && test -e \"$DIR/warm\"'";
    let script = "echo up; read x; touch $DIR/warm; exec sleep 600";
    let mut worker = run_sh(&["--ready", probe], script);
    let (reader, writer) = std::io::pipe().unwrap();
    worker = worker.stdin(reader);
    let running = worker.start();
    running.await_stdout("up");
    drop(writer);
    check_owner(&stop_when_ready(running), "own");
}

#[test]
fn notify_is_ready_when_the_command_says_so() {
    let finished = ready(run_child(&["--ready", "notify"], "notify"));
    check_owner(&finished, "own");
}

#[test]
fn rule_5_an_exit_before_readiness_is_a_failure_whatever_the_code() {
    let options = ["--ready", "log=never", "--max-failures", "2", "--backoff", "1ms"];
    let finished = run_sh(&options, "exit 0").finish();
    finished.check_code(5).check_stderr("exit code 0 before it was ready");
}

#[test]
fn contract_12_a_ready_timeout_ends_a_tree_that_ignores_the_signal_after_its_grace() {
    let options = ["--ready", "log=never", "--ready-timeout", "200ms", "--stop-grace", "100ms"];
    let options = [&options[..], &["--max-failures", "1"]].concat();
    let script = "trap '' TERM; sleep 600 & while :; do sleep 0.1; done";
    let finished = run_sh(&options, script).finish();
    finished.check_code(5);
    let exited = finished.of_kind("exited");
    assert_eq!(exited[0]["signal"], "SIGKILL");
    assert_eq!(finished.kinds()[2..], ["exited", "tree_gone", "failed"]);
}
