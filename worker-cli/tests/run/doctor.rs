//! `worker doctor` on this machine.

use serde_json::Value;

use crate::common::{Finished, OUT_OF_SIGHT, bare, eventually, lives, run_sh};

fn json(finished: &Finished) -> Value {
    assert_eq!(finished.stderr, "");
    serde_json::from_str(&finished.stdout()).unwrap()
}

#[test]
fn it_answers_as_text_and_as_json_and_makes_no_folder() {
    let running = bare(&["doctor"]).start();
    let folder = running.folder.path().join("state");
    eventually("its end", || !lives(running.pid()));
    assert!(!folder.exists());
    let text = running.finish();
    text.check_code(0);
    assert!(text.stdout().starts_with("How trees are emptied\n"), "{}", text.stdout());
    assert!(text.stdout().ends_with("\nThe promises can be kept here.\n"), "{}", text.stdout());
    let found = json(bare(&["doctor", "--json"]).finish().check_code(0));
    assert_eq!((&found["v"], &found["ok"]), (&1.into(), &true.into()));
    assert_eq!(found["leftovers"], Value::Array(vec![]));
}

#[test]
fn it_says_what_worker_run_then_does() {
    let found = json(&bare(&["doctor", "--json"]).finish());
    let script = "grep -q /worker[.].*/run-1$ /proc/self/cgroup && echo cgroup || echo subreaper";
    let did = run_sh(&[], script).finish().stdout();
    assert_eq!(found["trees"]["tier"], did.trim());
}

#[test]
fn a_state_folder_that_cannot_be_used_is_a_promise_that_cannot_be_kept() {
    let finished = bare(&["doctor", "--json", "--state-dir", "/dev/null/state"]).finish();
    let found = json(finished.check_code(1));
    let message = found["problems"][0]["message"].as_str().unwrap();
    assert!(message.contains("/dev/null is not a folder"), "{message}");
}

#[test]
fn leftovers_are_shown_and_not_touched() {
    let running = run_sh(&OUT_OF_SIGHT, "echo up; exec sleep 600").start();
    running.await_stdout("up");
    let leader = i32::try_from(running.await_event("spawned")["pid"].as_i64().unwrap()).unwrap();
    let folder = running.folder.path().join("state");
    let doctor = || {
        let doctor = bare(&["doctor", "--json"]).env("WORKER_STATE_DIR", &folder);
        json(doctor.finish().check_code(0))
    };
    let while_it_lives = doctor();
    assert_eq!(while_it_lives["journal"]["supervisors"], 1);
    assert_eq!(while_it_lives["leftovers"], Value::Array(vec![]));

    let supervisor = running.kill_both();
    for _ in 0..2 {
        let left = &doctor()["leftovers"];
        assert_eq!(left[0]["supervisor"], supervisor);
        assert_eq!(left[0]["processes"][0]["pid"], leader);
        assert!(lives(leader));
    }
    let next = run_sh(&OUT_OF_SIGHT, ":").env("WORKER_STATE_DIR", &folder).finish();
    next.check_code(0);
    running.finish(); // Its leader held stdout.
}
