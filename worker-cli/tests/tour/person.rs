//! As a person.

use std::collections::BTreeSet;

use crate::stage::{PROJECT, Stage};

#[test]
fn through_every_verb_and_every_exit_code() {
    let mut stage = Stage::new();
    for tour in [
        nothing_runs_yet,
        a_project_comes_up,
        slots_that_fail,
        slots_that_wait,
        the_configuration_changes,
        what_cannot_be_meant,
        everything_ends,
    ] {
        tour(&mut stage);
    }
    stage.check("person");
    assert_eq!(*stage.codes(), BTreeSet::from_iter(0..=8), "every exit code of the table");
}

fn nothing_runs_yet(stage: &mut Stage) {
    stage.show("status");
    stage.show("status api");
    stage.show("ports");
    stage.show("down");
    stage.show("config check");
}

fn a_project_comes_up(stage: &mut Stage) {
    for words in [
        "up",
        "up",
        "status",
        "status api",
        "touch api",
        "ports",
        "env api",
        "logs api",
        "logs api --grep nothing",
        "events api",
        "why api",
        "start agent@proj-42",
        "status --all",
        "restart api",
        "logs api --previous",
        "wait --for ready api",
    ] {
        stage.show(words);
    }
}

fn slots_that_fail(stage: &mut Stage) {
    stage.show("start web");
    for words in ["wait --for ready web", "start web", "status web", "why web -n 1", "reset web"] {
        stage.show(words);
    }
    for words in ["reset web", "touch web", "start gone", "status gone", "why gone"] {
        stage.show(words);
    }
}

fn slots_that_wait(stage: &mut Stage) {
    stage.show("start slow --no-wait");
    stage.await_state("slow", "starting");
    stage.show("wait --for ready slow --timeout 50ms");
    stage.show("status slow");
    stage.show("stop slow");
    stage.show("wait --for exit slow");
    stage.show("wait --for stopped slow");
}

fn the_configuration_changes(stage: &mut Stage) {
    let changed = PROJECT.replace("hello", "good day").replace("slots.slow", "slots.calm");
    stage.write(&changed);
    stage.show("up");
    stage.write(&eager(&changed, "gone"));
    stage.show("up");
    stage.write(&eager(&changed.replace("max_failures = 2", "max_failures = 1"), "web"));
    stage.run("up");
    // It fails once, and is parked a moment later.
    stage.run("wait --for ready web");
    stage.show("up");
    stage.write(&PROJECT.replace("command", "comand"));
    stage.show("up");
    stage.show("status shop/api");
    stage.show("start new");
    stage.write(PROJECT);
}

/// The same with this slot started by `up`.
fn eager(toml: &str, slot: &str) -> String {
    let (before, rest) = toml.split_once(&format!("[slots.{slot}]")).unwrap();
    format!("{before}[slots.{slot}]{}", rest.replacen("on-demand", "eager", 1))
}

fn what_cannot_be_meant(stage: &mut Stage) {
    let open = stage.open_state_dir();
    for words in [
        "start apo",
        "start agent",
        "stop api nobody",
        "start",
        "start api --now",
        "wait --for ready api --timeout 5",
        "logs api --grep [",
        "completions csh",
    ] {
        stage.show(words);
    }
    stage.show(&format!("status --state-dir {open}"));
}

fn everything_ends(stage: &mut Stage) {
    for words in ["stop agent@proj-42", "down", "down", "status", "down --all", "status"] {
        stage.show(words);
    }
}
