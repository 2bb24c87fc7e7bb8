//! Signals to `worker`, graces, and what is left of trees: nothing.

use crate::common::{Finished, Running, eventually, processes_with, run_sh, send_signal, state};

/// Children that leave the session in the usual ways, and one that stays: four processes.
const ESCAPEES: &str = "\
    sleep 600 & \
    setsid sleep 600 & \
    (setsid sh -c 'sleep 600 & exec sleep 600' &)";

/// Without a process of its own: waits until somebody writes to the pipe `go-` and its number.
const WAIT_FOR_GO: &str = "go=$DIR/go-$WORKER_RUN; mkfifo $go; echo up; read x < $go";

/// Starts a tree and waits until it is complete: the leader and four more.
fn with_escapees(tag: &str, options: &[&str], script: &str) -> Running {
    let variable = format!("TAG={tag}");
    let options = [&["--env", &variable], options].concat();
    let running = run_sh(&options, script).start();
    running.await_stdout("up");
    eventually("a complete tree", || processes_with("TAG", tag).len() == 5);
    running
}

/// A mark that no other run of these tests has.
fn tag(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

fn check_nothing_left(tag: &str) {
    assert_eq!(processes_with("TAG", tag), [0; 0], "processes are left");
}

/// Stops with SIGTERM once the script has said `up`.
fn stopped(options: &[&str], script: &str) -> Finished {
    let running = run_sh(options, script).start();
    running.await_stdout("up");
    running.signal("TERM");
    running.finish()
}

#[test]
fn rule_1_a_stop_waits_for_the_command_to_flush() {
    let script = "trap 'sleep 1; echo flushed; exit 0' TERM; echo up; while :; do sleep 0.1; done";
    let finished = stopped(&[], script);
    finished.check_code(0);
    assert!(finished.stdout().contains("flushed"));
    assert_eq!(finished.of_kind("tree_gone")[0]["killed"], 0);
}

#[test]
fn a_command_that_ignores_the_signal_gets_sigkill_after_the_grace() {
    let script = "trap '' TERM; echo up; while :; do sleep 0.1; done";
    stopped(&["--stop-grace", "100ms"], script).check_code(137);
}

#[test]
fn a_second_signal_cuts_the_grace_short() {
    let script = "trap '' TERM INT; echo up; while :; do sleep 0.1; done";
    let running = run_sh(&["--stop-grace", "1h"], script).start();
    running.await_stdout("up");
    running.signal("TERM");
    running.await_stderr("SIGTERM: stopping");
    running.signal("INT");
    running.finish().check_code(137).check_stderr("SIGINT: SIGKILL now");
}

#[test]
fn a_stop_passes_on_the_exit_code_of_the_command() {
    let script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done";
    stopped(&[], script).check_code(9);
    stopped(&[], "echo up; exec sleep 600").check_code(143);
}

#[test]
fn the_stop_signal_can_be_chosen() {
    let script = "trap 'echo interrupted; exit 0' INT; echo up; while :; do sleep 0.1; done";
    let finished = stopped(&["--stop-signal", "int"], script);
    finished.check_code(0);
    assert!(finished.stdout().contains("interrupted"));
}

#[test]
fn a_stop_without_a_process_is_128_and_the_signal() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let running = run_sh(&["--backoff", "1m", "--backoff-max", "1m"], "exit 1").start();
        running.await_event("restarting");
        running.signal(signal);
        let finished = running.finish();
        finished.check_code(code);
        assert_eq!(finished.of_kind("spawned").len(), 1, "rule 8: nothing is spawned any more");
    }
}

#[test]
fn escapees_are_gone_after_a_stop() {
    let tag = &tag("escapees-stop");
    let running = with_escapees(tag, &[], &format!("{ESCAPEES}; {WAIT_FOR_GO}"));
    running.signal("TERM");
    running.finish().check_code(143);
    check_nothing_left(tag);
}

#[test]
fn escapees_that_ignore_the_signal_are_gone_after_the_grace() {
    let tag = &tag("escapees-grace");
    let script = format!("trap '' TERM; {ESCAPEES}; trap 'exit 0' TERM; {WAIT_FOR_GO}");
    let running = with_escapees(tag, &["--stop-grace", "200ms"], &script);
    running.signal("TERM");
    let finished = running.finish();
    finished.check_code(0);
    assert_eq!(finished.of_kind("tree_gone")[0]["killed"], 4);
    check_nothing_left(tag);
}

#[test]
fn rule_2_escapees_are_gone_before_the_next_run_begins() {
    let tag = &tag("escapees-crash");
    let script = format!("[ $WORKER_RUN = 2 ] || {{ {ESCAPEES}; }}; {WAIT_FOR_GO}; kill -9 $$");
    let running = with_escapees(tag, &["--backoff", "1ms"], &script);
    std::fs::write(running.folder.path().join("go-1"), "go\n").unwrap();
    running.await_stdout("up");
    assert_eq!(processes_with("TAG", tag).len(), 1, "the new leader and nobody else");
    running.signal("TERM");
    let finished = running.finish();
    finished.check_code(143);
    assert_eq!(finished.of_kind("tree_gone")[0]["killed"], 4);
    check_nothing_left(tag);
}

#[test]
fn contract_2_a_clean_exit_leaves_what_the_command_left_running() {
    let tag = &tag("left");
    let script = "sleep 600 >/dev/null 2>&1 & echo $!";
    let finished = run_sh(&[], script).env("TAG", tag).finish();
    finished.check_code(0);
    assert_eq!(finished.of_kind("tree_gone")[0]["left"], 1);
    let left: i32 = finished.stdout().trim().parse().unwrap();
    assert_eq!(processes_with("TAG", tag), [left]);
    send_signal(left, "KILL");
}

#[test]
fn a_clean_exit_with_reap_ends_what_the_command_left_running() {
    let tag = &tag("reaped");
    let options = ["--on-clean-exit", "reap"];
    let finished = run_sh(&options, "setsid sleep 600 & sleep 600 &").env("TAG", tag).finish();
    finished.check_code(0);
    check_nothing_left(tag);
}

#[test]
fn other_signals_are_passed_on() {
    let script = "trap 'echo got it; exit 0' USR1; echo up; while :; do sleep 0.1; done";
    let running = run_sh(&[], script).start();
    running.await_stdout("up");
    running.signal("USR1");
    running.await_stdout("got it");
    running.finish().check_code(0);
}

#[test]
fn a_signal_that_was_ignored_at_start_stays_ignored() {
    let script = "trap 'echo still here' USR1; echo up; while :; do sleep 0.1; done";
    let nohup = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];
    let running = run_sh(&[], script).under(&nohup).start();
    running.await_stdout("up");
    running.signal("HUP");
    running.signal("USR1");
    running.await_stdout("still here");
    running.signal("TERM");
    let finished = running.finish();
    finished.check_code(143);
    assert!(!finished.stderr.contains("SIGHUP"), "{}", finished.stderr);
}

#[test]
fn ctrl_z_stops_the_whole_tree_and_sigcont_resumes_it() {
    let script = "setsid sleep 600 & echo up $!; exec sleep 600";
    let running = run_sh(&[], script).in_job().start();
    let escapee: i32 = running.await_stdout("up").rsplit_once(' ').unwrap().1.parse().unwrap();
    let leader = i32::try_from(running.await_event("spawned")["pid"].as_i64().unwrap()).unwrap();
    let everybody = [running.pid(), leader, escapee];
    running.signal("TSTP");
    eventually("a stop of everybody", || everybody.iter().all(|pid| state(*pid) == Some('T')));
    running.signal("CONT");
    eventually("their end", || everybody.iter().all(|pid| state(*pid) == Some('S')));
    running.signal("TERM");
    running.finish().check_code(143); // The escapee held stdout.
}

#[test]
fn a_stop_while_it_is_paused_waits_for_fg() {
    let running = run_sh(&[], "echo up; exec sleep 600").in_job().start();
    running.await_stdout("up");
    running.signal("TSTP");
    eventually("the pause", || state(running.pid()) == Some('T'));
    running.signal("TERM");
    running.signal("CONT");
    running.finish().check_code(143);
}

/// Skips, and says so, where a process namespace cannot be made.
fn can_be_pid_1() -> bool {
    let made =
        crate::common::bare(&["--version"]).under(&["unshare", "-pf", "--mount-proc"]).finish();
    let can = made.code == Some(0);
    if !can {
        eprintln!("skipped: no process namespace: {}", made.stderr);
    }
    can
}

#[test]
fn as_pid_1_it_reaps_foreign_zombies_and_stops_in_order() {
    if !can_be_pid_1() {
        return;
    }
    // The orphan belongs to no run: its environment is empty and its session its own.
    let script = "\
        setsid env -i sh -c '(sleep 0.1 &) exit' ; \
        while pgrep -x sleep >/dev/null; do :; done; \
        ps -e -o stat= | grep -c ^Z; \
        trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done";
    let running = run_sh(&[], script).under(&["unshare", "-pf", "--mount-proc"]).start();
    running.await_stdout("up");
    send_signal(running.supervisor(), "TERM");
    let finished = running.finish();
    finished.check_code(0);
    assert_eq!(finished.stdout().lines().next(), Some("0"), "zombies: {}", finished.stdout());
    assert!(finished.stdout().contains("bye"));
}
