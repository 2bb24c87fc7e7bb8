//! What is done once before a slot starts.

use worker_cli::api::State;
use worker_cli::error::Code;

use crate::common::script;
use crate::shop::{Shop, lives};

/// Notes each preparation, and each start.
const NOTED: &str = r#"
[templates.agent]
command = ["sh", "-c", "echo main >> ../log; exec sleep 1000"]
dir = "{id}"
prepare = ["sh", "-c", "echo prepared {id} >> ../log"]
"#;

#[test]
fn a_slot_is_prepared_once_in_a_folder_that_is_made_for_it() {
    let mut shop = Shop::new(NOTED);
    shop.start("agent@one").unwrap();
    shop.await_text("log", "prepared one\nmain\n");
    shop.stop("agent@one");
    shop.start("agent@one").unwrap();
    shop.await_text("log", "prepared one\nmain\nmain\n");
    assert_eq!(shop.slot("agent@one").run, 2, "a preparation is part of its run");
    shop.start("agent@two").unwrap();
    shop.await_text("log", "prepared one\nmain\nmain\nprepared two\nmain\n");
    shop.again();
    shop.await_state("agent@one", State::Running);
    shop.await_state("agent@two", State::Running);
    assert_eq!(shop.read("log").matches("prepared").count(), 2);
}

#[test]
fn a_folder_that_was_removed_is_prepared_again() {
    let shop = Shop::new(NOTED);
    shop.start("agent@one").unwrap();
    shop.stop("agent@one");
    std::fs::remove_dir(shop.path("one")).unwrap();
    shop.start("agent@one").unwrap();
    assert_eq!(shop.read("log").matches("prepared").count(), 2);
}

#[test]
fn what_was_prepared_is_not_prepared_again_when_its_program_was_missing() {
    let shop = Shop::new(
        r#"
        [templates.agent]
        command = ["./agent"]
        dir = "{id}"
        prepare = ["mkdir", "clone"]
        "#,
    );
    let failure = shop.start("agent@one").unwrap_err();
    assert!(failure.message.contains("no such file"), "{failure}");
    script(&shop.path("one"), "agent", "exec sleep 1000");
    assert_eq!(shop.start("agent@one").unwrap().state, State::Running);
}

#[test]
fn what_was_prepared_is_not_prepared_again_when_its_port_was_taken() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let shop = Shop::new(&format!(
        r#"
        [slots.api]
        command = ["sleep", "1000"]
        ports = [{port}]
        prepare = ["mkdir", "clone"]
        "#
    ));
    let failure = shop.start("api").unwrap_err();
    assert!(failure.message.contains(&format!("port {port} is held")), "{failure}");
    drop(taken);
    assert_eq!(shop.start("api").unwrap().state, State::Running);
}

#[test]
fn a_preparation_comes_before_the_ports_that_probes_and_commands_name() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo main {port} >> log; exit 3"]
        prepare = ["sh", "-c", "echo prepared >> log"]
        ports = 1
        ready = { http = ":{port}/health" }
        alive = { http = ":{port}/health" }
        restart = { max_failures = 1 }
        "#,
    );
    assert_eq!(shop.start("api").unwrap_err().code, Code::Parked);
    let log = shop.read("log");
    assert!(log.starts_with("prepared\nmain 2"), "{log}");
}

#[test]
fn a_preparation_that_fails_is_an_error_with_the_tail_of_its_output() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo main >> log"]
        prepare = ["sh", "-c", "echo prepared >> log; echo cloning; echo no such branch >&2; exit 7"]
        "#,
    );
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::SpawnFailed);
    assert!(failure.message.contains("no such branch"), "{failure}");
    assert!(failure.message.contains("cloning"), "{failure}");
    let api = shop.await_state("api", State::Error);
    let said = api.last_error.unwrap();
    assert!(said.contains("exit code 7") && said.contains("no such branch"), "{said}");
    assert_eq!(shop.why("api").deaths[0].output, ["cloning", "no such branch"]);
    assert_eq!(shop.log("api"), ["cloning", "no such branch"]);
    assert!(shop.start("api").is_err(), "it is tried anew");
    shop.await_text("log", "prepared\nprepared\n");
}

#[test]
fn a_preparation_without_its_program_is_an_error_that_names_it() {
    let shop = Shop::new(
        "[slots.api]\ncommand = [\"sleep\", \"1000\"]\nprepare = [\"./no-such-program\"]\n",
    );
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::SpawnFailed);
    let folder = shop.scene.scratch().canonicalize().unwrap();
    let (why, folder) = ("its preparation could not be started: ", folder.display());
    let named = format!("{why}no such file: {folder}/./no-such-program");
    assert!(failure.message.contains(&named), "{failure}");
    let said = shop.slot("api").last_error.unwrap();
    assert!(said.starts_with(&named), "{said}");
    let event = shop.await_event("api", "error");
    assert!(event["message"].as_str().unwrap().starts_with(&named), "{event}");
    assert!(shop.why("api").deaths[0].cause.starts_with(&named));

    shop.write("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nprepare = [\"no-such-program\"]\n");
    let failure = shop.start("api").unwrap_err();
    let named = format!("{why}no program no-such-program in PATH: ");
    assert!(failure.message.contains(&named), "{failure}");
}

#[test]
fn a_stop_ends_a_preparation_and_the_next_start_prepares_anew() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo main >> log; exec sleep 1000"]
        prepare = ["sh", "-c", "echo $$ >> pids; test -e gate || exec sleep 1000"]
        "#,
    );
    let start = shop.starting("api");
    crate::common::eventually("the preparation", || shop.read("pids").ends_with('\n'));
    let preparing = shop.await_state("api", State::Starting);
    assert_eq!(preparing.next.unwrap().what, "prepare timeout");
    let pid: i32 = shop.read("pids").trim().parse().unwrap();
    assert!(lives(pid));
    assert_eq!(shop.start_no_wait("api").state, State::Starting);
    assert_eq!(shop.stop("api").state, State::Stopped);
    assert!(!lives(pid));
    assert_eq!(start.join().unwrap().unwrap_err().code, Code::Cancelled);
    assert_eq!(shop.state("api"), State::Stopped);
    assert_eq!(shop.read("pids").lines().count(), 1, "the second start shared it");
    shop.open_gate("gate");
    shop.start("api").unwrap();
    shop.await_text("log", "main\n");
    assert_eq!(shop.read("pids").lines().count(), 2);
}

#[test]
fn a_parked_slot_is_refused_before_it_is_prepared() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["false"]
        prepare = ["sh", "-c", "echo prepared >> log"]
        restart = { max_failures = 1 }
        "#,
    );
    shop.start_no_wait("api");
    shop.await_state("api", State::Failed);
    // As if it had to be prepared anew.
    shop.write(
        r#"
        [slots.api]
        command = ["false"]
        dir = "elsewhere"
        prepare = ["sh", "-c", "echo prepared >> ../log"]
        restart = { max_failures = 1 }
        "#,
    );
    assert_eq!(shop.start("api").unwrap_err().code, Code::Parked);
    assert!(!shop.path("elsewhere").exists());
    shop.await_text("log", "prepared\n");
}

#[test]
fn the_end_of_a_run_tells_nothing_of_its_preparation() {
    let shop = Shop::new(
        "[slots.api]\ncommand = [\"./no-such-program\"]\nprepare = [\"echo\", \"prepared\"]\n",
    );
    assert_eq!(shop.start("api").unwrap_err().code, Code::SpawnFailed);
    let death = &shop.why("api").deaths[0];
    assert!(death.cause.contains("no-such-program"), "{death:?}");
    assert_eq!((death.code, death.uptime_ms), (None, None), "{death:?}");
    assert_eq!(death.output, [] as [&str; 0]);
}
