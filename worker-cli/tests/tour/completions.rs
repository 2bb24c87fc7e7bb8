//! What shells offer.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::stage::{Stage, eventually};
use crate::terminal::OnTerminal;

/// What follows these words, as fish asks for it; the last of them is being typed. Options are left
/// out.
fn offered(stage: &Stage, words: &[&str]) -> Vec<String> {
    let mut worker = stage.worker("--");
    worker.arg("worker").args(words).env("WORKER_COMPLETE", "fish");
    let output = worker.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn slots_are_offered_from_the_file_without_a_daemon_which_is_not_started() {
    let stage = Stage::new();
    assert_eq!(offered(&stage, &["stop", ""]), ["agent@", "api", "gone", "slow", "web"]);
    assert_eq!(offered(&stage, &["stop", "api", "s"]), ["slow"]);
    assert_eq!(offered(&stage, &["why", "shop/a"]), ["shop/agent@", "shop/api"]);
    assert_eq!(offered(&stage, &["logs", "a"]), ["agent", "api"]);
    assert_eq!(offered(&stage, &["down", ""]), ["shop"]);
    for verb in ["start", "restart", "reset", "touch", "status", "wait", "env", "events"] {
        assert_eq!(offered(&stage, &[verb, "w"]), ["web"], "{verb}");
    }
    assert_eq!(offered(&stage, &["sta"]).len(), 2, "verbs are offered as before");
    stage.write("what is this");
    assert_eq!(offered(&stage, &["stop", ""]), [""; 0]);
    assert!(!stage.state_dir().exists(), "no daemon was started");
}

#[test]
fn slots_of_a_daemon_are_offered_with_their_state_also_outside_of_their_project() {
    let mut stage = Stage::new();
    assert_eq!(stage.run("start api agent@one").code, 0);
    // It may be slow to answer on a machine that is busy, and is not waited for.
    eventually("an answer of the daemon", || {
        offered(&stage, &["stop", "a"]) == ["agent@", "agent@one\trunning", "api\trunning"]
    });
    stage.write("project = \"blog\"\n[slots.site]\ncommand = \"true\"\n");
    eventually("another project", || {
        offered(&stage, &["stop", "s"])
            == [
                "shop/agent@one\trunning",
                "shop/api\trunning",
                "shop/gone\tstopped",
                "shop/slow\tstopped",
                "shop/web\tstopped",
                "site",
            ]
    });
    eventually("both projects", || offered(&stage, &["down", ""]) == ["blog", "shop"]);
}

#[test]
fn a_daemon_that_does_not_answer_is_not_waited_for() {
    let stage = Stage::new();
    let folder = stage.state_dir().join("run");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    let silent = UnixListener::bind(folder.join("worker.sock")).unwrap();
    assert_eq!(offered(&stage, &["stop", "a"]), ["agent@", "api"]);
    assert!(silent.accept().is_ok(), "it was asked");
    drop(silent);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bash_completes_names_with_an_at_sign() {
    if !Path::new("/bin/bash").exists() {
        println!("skipped: there is no bash");
        return;
    }
    let mut stage = Stage::new();
    let worker = Path::new(env!("CARGO_BIN_EXE_worker")).parent().unwrap();
    let mut bash = stage.command("/bin/bash", "--norc --noprofile -i");
    bash.env("PATH", format!("{}:/usr/bin:/bin", worker.display()));
    let mut bash = OnTerminal::typed(bash);
    bash.type_in("source <(worker completions bash); PS1='> '; echo rea''dy\n");
    bash.expect("ready");
    typed(&mut bash, "worker stop ap\t!", "worker stop api !");
    typed(&mut bash, "worker start ag\t!", "worker start agent@!");
    typed(&mut bash, "worker stop shop/s\t!", "worker stop shop/slow !");
    assert_eq!(stage.run("start agent@one").code, 0);
    typed(&mut bash, "worker stop agent@o\t!", "worker stop agent@one !");
}

/// Types this, sees it on the screen, and takes it away again.
fn typed(bash: &mut OnTerminal, keys: &str, shown: &str) {
    bash.type_in(keys);
    bash.expect(shown);
    bash.type_in("\x15");
}
