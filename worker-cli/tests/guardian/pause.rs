//! The time between Ctrl-Z and `fg` counts for nothing.
//!
//! Each deadline here passes while all is stopped, by the clock of everybody else. What shows that it
//! did not take effect is the order of what happens then.
#![expect(clippy::disallowed_methods, reason = "the test waits for its own child")]

use std::process::Command;

use crate::common::{events, eventually};
use crate::terminal::{Job, Terminal};

/// Longer than a busy machine needs on both sides of the pause.
const DEADLINE: &str = "10s";

/// Stops the job by Ctrl-Z until the deadline has passed for another process.
fn outlast_the_deadline(terminal: &mut Terminal, job: Option<&Job>) {
    terminal.press("\x1a");
    terminal.run("echo \"it \"\"stopped\"", "it stopped");
    if let Some(job) = job {
        eventually("the leader to stop", || job.states().iter().all(|it| *it == Some('T')));
    }
    assert!(Command::new("sleep").arg(DEADLINE).status().unwrap().success());
}

fn kinds(terminal: &Terminal) -> Vec<String> {
    events(&terminal.file("events"))
}

#[test]
fn a_ready_timeout_does_not_elapse_during_ctrl_z() {
    let mut terminal = Terminal::with_shell();
    let options = format!("--events events --ready log=warm --ready-timeout {DEADLINE}");
    let script = "mkfifo go; echo up $$; read x < go; echo warm; exec sleep 600";
    let job = terminal.start_worker_with(&options, script);
    outlast_the_deadline(&mut terminal, Some(&job));
    terminal.press("fg\n");
    std::fs::write(terminal.file("go"), "\n").unwrap();
    job.output.expect("warm");
    eventually("readiness", || kinds(&terminal).contains(&"ready".to_owned()));
    terminal.press("\x03");
    job.output.rest();
    assert_eq!(terminal.code(), 128 + 15);
    let expected = ["starting", "spawned", "ready", "stopping", "exited", "tree_gone", "stopped"];
    assert_eq!(kinds(&terminal), expected);
    terminal.leave();
}

#[test]
fn a_backoff_does_not_elapse_during_ctrl_z() {
    let mut terminal = Terminal::with_shell();
    let options = format!("--events events --backoff {DEADLINE} --backoff-max {DEADLINE}");
    let job = terminal.start_worker_with(&options, "mkfifo go; echo up $$; read x < go; exit 1");
    std::fs::write(terminal.file("go"), "\n").unwrap();
    eventually("the backoff", || kinds(&terminal).contains(&"restarting".to_owned()));
    outlast_the_deadline(&mut terminal, None);
    // When it goes on a deadline that has passed would come before this.
    terminal.press("kill -TERM %1; fg\n");
    job.output.rest();
    let code = terminal.code();
    let kinds = kinds(&terminal);
    assert_eq!(code, 128 + 15, "{kinds:?}");
    let after: Vec<_> = kinds.iter().skip_while(|it| *it != "restarting").collect();
    assert!(!after.iter().any(|it| *it == "starting" || *it == "spawned"), "{kinds:?}");
    terminal.leave();
}
