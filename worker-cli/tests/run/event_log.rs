//! `--events`.

use std::path::Path;

use crate::common::{bare, run_sh};

#[test]
fn events_are_appended_and_numbered() {
    let finished = run_sh(&["--max-failures", "2", "--backoff", "1ms"], "exit 3").finish();
    finished.check_code(5);
    let expected = [
        "starting",
        "spawned",
        "ready",
        "exited",
        "tree_gone",
        "restarting", //
        "starting",
        "spawned",
        "ready",
        "exited",
        "tree_gone",
        "failed",
    ];
    assert_eq!(finished.kinds(), expected);
    for (event, seq) in finished.events.iter().zip(1_u64..) {
        assert_eq!((&event["v"], &event["seq"]), (&1.into(), &seq.into()));
        assert_eq!(event["slot"], "sh");
        assert_eq!(event["run"], if seq <= 6 { 1 } else { 2 });
    }
}

#[test]
fn events_go_to_stderr_where_asked_for() {
    let finished =
        bare(&["run", "--cgroup", "never", "--quiet", "--events", "-", "--", "true"]).finish();
    finished.check_code(0);
    let events: Vec<serde_json::Value> =
        finished.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "starting");
    assert_eq!(events.last().unwrap()["event"], "stopped");
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_supervision_goes_on() {
    let mut files = vec!["/no/such/folder/events"];
    if Path::new("/dev/full").exists() {
        files.push("/dev/full");
    }
    for file in files {
        let options = ["run", "--events", file, "--max-failures", "3", "--backoff", "1ms"];
        let finished = bare(&[&options[..], &["--", "false"]].concat()).finish();
        finished.check_code(5);
        assert_eq!(finished.stderr.matches("--events").count(), 1, "{}", finished.stderr);
        finished.check_stderr(&format!("--events {file}: "));
    }
}
