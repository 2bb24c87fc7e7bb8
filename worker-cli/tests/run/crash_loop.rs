//! Failures, delays, and the breaker.

use crate::common::{run, run_sh, script};

const QUICK: [&str; 4] = ["--backoff", "10ms", "--backoff-max", "50ms"];

#[test]
fn eight_failures_in_a_row_are_eight_spawns_and_exit_code_5() {
    let finished = run_sh(&QUICK, "echo run $WORKER_RUN; exit 3").finish();
    finished.check_code(5);
    let runs: Vec<String> = (1..=8).map(|run| format!("run {run}")).collect();
    assert_eq!(finished.stdout().lines().collect::<Vec<_>>(), runs);
    assert_eq!(finished.of_kind("spawned").len(), 8);
    assert_eq!(finished.of_kind("restarting").len(), 7);
    assert_eq!(*finished.kinds().last().unwrap(), "failed");
}

#[test]
fn contract_4_the_breaker_says_its_message_letter_by_letter() {
    let finished = run_sh(&QUICK, "kill -9 $$").finish();
    finished.check_code(5).check_stderr(
        "circuit breaker tripped: 8 consecutive non-clean exits within 300s \
         (last: code=- signal=SIGKILL)",
    );
    let exited = &finished.of_kind("exited")[7];
    assert_eq!((&exited["code"], &exited["signal"]), (&serde_json::Value::Null, &"SIGKILL".into()));
    assert_eq!(exited["clean"], false);
}

#[test]
fn the_delay_doubles_with_jitter_of_at_most_a_fifth() {
    let options = ["--backoff", "10ms", "--backoff-max", "10s"];
    let finished = run_sh(&options, "kill -9 $$").finish();
    finished.check_code(5);
    for (restarting, base) in finished.of_kind("restarting").iter().zip([10, 20, 40, 80, 160, 320])
    {
        let delay = restarting["delay_ms"].as_u64().unwrap();
        assert!((base..=base * 12 / 10).contains(&delay), "{delay} ms after a base of {base} ms");
    }
}

#[test]
fn a_healthy_period_forgets_the_failures_and_the_delay_starts_over() {
    let options = ["--backoff", "10ms", "--healthy-after", "1s", "--max-failures", "4"];
    let script = "[ $WORKER_RUN = 4 ] && sleep 1.5; exit 1";
    let finished = run_sh(&options, script).finish();
    finished.check_code(5);
    let streaks: Vec<_> = finished
        .of_kind("restarting")
        .iter()
        .map(|event| event["streak"].as_u64().unwrap())
        .collect();
    assert_eq!(streaks, [1, 2, 3, 1, 2, 3]);
    let delay = finished.of_kind("restarting")[3]["delay_ms"].as_u64().unwrap();
    assert!((10..=12).contains(&delay), "{delay} ms");
}

#[test]
fn contract_6_a_clean_exit_ends_it_with_0() {
    let finished = run_sh(&QUICK, "[ $WORKER_RUN = 3 ] || exit 1").finish();
    finished.check_code(0);
    assert_eq!(finished.of_kind("spawned").len(), 3);
    assert_eq!(*finished.kinds().last().unwrap(), "stopped");
}

#[test]
fn with_restart_never_the_first_end_is_passed_on() {
    let never = ["--restart", "never"];
    run_sh(&never, "exit 42").finish().check_code(42);
    run_sh(&never, "kill -TERM $$").finish().check_code(143);
    run_sh(&never, "exit 0").finish().check_code(0);
}

#[test]
fn with_restart_always_a_clean_exit_counts_as_a_failure() {
    let options = ["--restart", "always", "--max-failures", "3", "--backoff", "10ms"];
    let finished = run_sh(&options, "exit 0").finish();
    finished.check_code(5);
    assert_eq!(finished.of_kind("spawned").len(), 3);
}

#[test]
fn a_program_that_vanishes_between_two_restarts_counts_as_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let program = script(folder.path(), "vanishing", "rm \"$0\"; exit 1");
    let finished = run(&["--max-failures", "3", "--backoff", "10ms"], &[&program]).finish();
    finished.check_code(5).check_stderr(program.to_str().unwrap());
    assert_eq!(finished.of_kind("spawned").len(), 1);
    assert_eq!(finished.of_kind("restarting").len(), 2);
}
