//! What `worker run` says while it works.

use insta::assert_snapshot;

use crate::common::{OUT_OF_SIGHT, Worker, bare, run_sh};

/// A start says what it finds of others, which none of these is to find.
fn quiet_place(options: &[&str], script: &str) -> Worker {
    run_sh(&[&OUT_OF_SIGHT[..], options].concat(), script)
}

/// What is said, with the digits of jitter left out.
fn said(worker: Worker) -> String {
    let stderr = worker.finish().stderr;
    let is_digit = |c: char| c.is_ascii_digit();
    let lines = stderr.lines().map(|line| match line.split_once("restart in ") {
        Some((before, after)) => {
            format!("{before}restart in N{}", after.trim_start_matches(is_digit))
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

const QUICK: [&str; 4] = ["--backoff", "10ms", "--max-failures", "2"];

#[test]
fn a_crash_loop() {
    assert_snapshot!(said(quiet_place(&QUICK, "exit 3")));
}

#[test]
fn a_crash_loop_that_leaves_processes() {
    let script = "sleep 600 & kill -SEGV $$";
    assert_snapshot!(said(quiet_place(&["--max-failures", "1"], script)));
}

#[test]
fn a_crash_loop_in_quiet() {
    let options = [&QUICK[..], &["--quiet"]].concat();
    assert_snapshot!(said(quiet_place(&options, "exit 3")));
}

#[test]
fn a_crash_loop_in_json() {
    let options = [&QUICK[..], &["--json", "--name", "shop/api"]].concat();
    assert_snapshot!(said(quiet_place(&options, "exit 3")));
}

#[test]
fn a_stop() {
    let running = quiet_place(&[], "echo up; exec sleep 600").start();
    running.await_stdout("up");
    running.signal("INT");
    assert_snapshot!(running.finish().stderr);
}

#[test]
fn a_clean_end_is_silent() {
    assert_eq!(bare(&["run", "--cgroup", "never", "--", "true"]).finish().stderr, "");
}
