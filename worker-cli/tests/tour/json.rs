//! As a program.

use crate::stage::Stage;

#[test]
fn every_answer_and_every_error_is_json() {
    let mut stage = Stage::new();
    for words in [
        "status",
        "status api",
        "ports",
        "down",
        "up",
        "status",
        "touch api",
        "ports",
        "env api",
        "logs api",
        "events api",
        "start web",
        "wait --for ready web",
        "start web",
        "why web",
        "reset web",
        "reset web",
        "start apo",
        "start api --now",
        "stop api",
        "wait --for stopped api",
    ] {
        stage.show_json(words);
    }
    stage.run("start slow --no-wait");
    stage.await_state("slow", "starting");
    stage.show_json("wait --for ready slow --timeout 50ms");
    stage.write("[slots.api]\ncomand = \"x\"\n");
    stage.show_json("up");
    let open = stage.open_state_dir();
    stage.show_json(&format!("status --state-dir {open}"));
    stage.show_json("down --all");
    stage.check("json");
}
