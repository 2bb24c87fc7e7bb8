//! `worker demo`, as a person sees it.
#![cfg(target_os = "linux")]

use std::process::Command;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test is the parent of the program that it tests")]
fn the_demo_restarts_parks_and_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_worker"));
    let demo = demo.arg("demo").env("WORKER_STATE_DIR", state.path()).output().unwrap();
    let said = String::from_utf8(demo.stdout).unwrap();
    assert_eq!(demo.status.code(), Some(0), "{said}");
    let long: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(long, [""; 0], "longer than 80 columns");
    for run in 1..=4 {
        assert!(said.contains(&format!("run {run} is ready on port 2")), "{said}");
    }
    for role in ["agent", "child", "escapee", "daemon"] {
        let shown = said.lines().filter(|line| line.contains(&format!(" {role} ")));
        assert!(shown.count() >= 4, "{role} in {said}");
    }
    assert_eq!(
        said.matches("SIGKILL ended 3 more. Left of the tree, counted in /proc: 0").count(),
        4
    );
    assert!(said.contains("circuit breaker tripped: 4 consecutive non-clean exits"), "{said}");
    assert!(said.contains("What is left, counted in /proc: 0 of 16 processes."), "{said}");
    let has_port_again = said.contains(" is free to bind again.");
    assert!(has_port_again || said.contains("Somebody else came first to the port: "), "{said}");
}
