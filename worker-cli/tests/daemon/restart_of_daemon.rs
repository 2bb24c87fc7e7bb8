//! What outlives a daemon.

use std::fs;

use worker_cli::api::{State, StopRequest};
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::{finish, send_signal};
use crate::shop::{SLEEP, Shop, full, lives, with_variable};

/// Fails each time that it is told to, by a file.
const CRASHER: &str = r#"
[slots.api]
command = ["sh", "-c", "echo started >> log; until test -e crash; do sleep 0.01; done; rm crash; exit 9"]
restart = { backoff = "1ms", max_failures = 3 }
start = "eager"
"#;

/// Lets it fail once more, and waits for what follows.
fn crash(shop: &Shop, nth: usize, then: &str) {
    shop.open_gate("crash");
    shop.await_nth_event("api", then, nth);
}

#[test]
fn streaks_restarts_and_run_numbers_survive_an_orderly_end() {
    let mut shop = Shop::new(CRASHER);
    shop.up();
    crash(&shop, 1, "restarting");
    crash(&shop, 2, "restarting");
    let before = shop.await_state("api", State::Running);
    assert_eq!((before.run, before.streak, before.restarts), (3, 2, 2));
    shop.again();
    let after = shop.await_state("api", State::Running);
    assert_eq!((after.run, after.streak, after.restarts), (4, 2, 3));
    crash(&shop, 1, "failed");
    let parked = shop.await_state("api", State::Failed);
    assert_eq!((parked.run, parked.streak), (4, 3));
    shop.again();
    let parked = shop.slot("api");
    assert_eq!((parked.state, parked.streak, parked.pid), (State::Failed, 3, None));
    assert!(parked.last_error.unwrap().starts_with("circuit breaker tripped: 3 consecutive"));
    assert_eq!(shop.start("api").unwrap_err().code, Code::Parked);
    block_on(shop.client.reset(&full("api"))).unwrap();
    shop.again();
    assert_eq!(shop.state("api"), State::Stopped);
    let started = shop.start("api").unwrap();
    assert_eq!((started.run, started.streak, started.restarts), (5, 0, 0));
    shop.await_text("log", &"started\n".repeat(5));
}

#[test]
fn streaks_survive_a_daemon_that_is_killed() {
    let mut shop = Shop::new(CRASHER);
    shop.up();
    crash(&shop, 1, "restarting");
    crash(&shop, 2, "restarting");
    shop.await_state("api", State::Running);
    shop.kill_both();
    shop.begin();
    let after = shop.await_state("api", State::Running);
    assert_eq!((after.run, after.streak, after.restarts), (4, 2, 3));
}

#[test]
fn a_slot_that_was_stopped_does_not_come_back_and_one_that_ended_by_itself_neither() {
    let mut shop = Shop::new(
        r#"
        [defaults]
        start = "eager"
        [slots.ended]
        command = ["true"]
        [slots.stopped]
        command = ["sleep", "1000"]
        [slots.runs]
        command = ["sleep", "1000"]
        [slots.bad]
        command = ["./none"]
        [slots.blocked]
        command = ["sleep", "1000"]
        depends_on = ["bad"]
        "#,
    );
    shop.up();
    shop.await_event("ended", "stopped");
    shop.stop("stopped");
    for round in 0..2 {
        if round == 0 {
            shop.again()
        } else {
            shop.kill_both();
            shop.begin()
        }
        shop.await_state("runs", State::Running);
        let states = ["ended", "stopped", "bad", "blocked"].map(|name| shop.state(name));
        assert_eq!(states, [State::Stopped; 4], "round {round}");
    }
}

#[test]
fn a_slot_that_is_started_while_it_stops_comes_back() {
    let mut shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "trap 'until test -e gate; do sleep 0.01; done; exit' TERM; echo up; while :; do sleep 0.01; done"]
        ready = { log = "up" }
        stop = { grace = "60s" }
        "#,
    );
    shop.start("api").unwrap();
    let stop = std::thread::spawn({
        let client = shop.client.clone();
        move || block_on(client.stop("shop/api", StopRequest::default()))
    });
    shop.await_state("api", State::Stopping);
    shop.start_no_wait("api");
    shop.open_gate("gate");
    stop.join().unwrap().unwrap();
    assert_eq!(shop.await_state("api", State::Running).run, 2);
    shop.again();
    assert_eq!(shop.await_state("api", State::Running).run, 3);
}

#[test]
fn after_a_shutdown_all_stay_down() {
    let mut shop = Shop::new(CRASHER);
    shop.up();
    shop.open_gate("crash");
    let down = block_on(shop.client.shutdown()).unwrap();
    assert_eq!(down.stopped, ["shop/api"]);
    shop.finish();
    shop.begin();
    assert_eq!(shop.state("api"), State::Stopped);
}

#[test]
fn what_a_killed_daemon_left_ends_with_down_and_does_not_come_back() {
    let mut shop = Shop::new(&format!("[slots.api]\n{SLEEP}\nstart = \"eager\"\n"));
    for words in [&["down", "shop"][..], &["down", "--all"]] {
        shop.up();
        let pid = shop.pid("api");
        shop.kill_both();
        assert!(lives(pid), "nobody was there to end it");
        let down = finish(shop.scene.worker(words));
        assert_eq!((down.code, down.stdout.as_str()), (Some(0), "nothing was running\n"));
        assert!(
            down.stderr.contains("ended 1 process that a killed supervisor"),
            "{}",
            down.stderr
        );
        assert!(!lives(pid));
        shop.begin();
        assert_eq!(shop.state("api"), State::Stopped);
    }
}

#[test]
fn down_lets_only_the_slots_of_its_project_rest() {
    let mut shop = Shop::new(&format!("[slots.api]\n{SLEEP}\nstart = \"eager\"\n"));
    shop.up();
    shop.kill_both();
    let down = finish(shop.scene.worker(&["down", "another"]));
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    shop.begin();
    assert_eq!(shop.await_state("api", State::Running).run, 2);
}

#[test]
fn a_daemon_killed_with_its_guardian_leaves_nothing_and_the_next_one_says_what_happened() {
    let slots: String = (0..50)
        .map(|number| {
            format!("[slots.s{number}]\ncommand = [\"sh\", \"-c\", \"setsid sleep 1000 & exec sleep 1000\"]\nstart = \"eager\"\n")
        })
        .collect();
    let mut shop = Shop::new(&slots);
    let tag = shop.scene.scratch().display().to_string();
    let mut request = shop.up_request();
    request.env = Some(crate::shop::env(&[("TAG", &tag)]));
    let up = block_on(shop.client.up("shop", &request)).unwrap();
    assert!(up.slots.iter().all(|slot| slot.error.is_none()));
    let pids: Vec<i32> = (0..50).map(|number| shop.pid(&format!("s{number}"))).collect();
    let tag = format!("TAG={tag}");
    let before = with_variable(&tag);
    assert!(before.len() >= 50, "{}", before.len());
    shop.kill_both();
    shop.begin();
    assert!(pids.iter().all(|pid| !lives(*pid)), "those of the run before");
    for number in 0..50 {
        let name = format!("s{number}");
        assert_eq!(shop.await_state(&name, State::Running).run, 2);
    }
    assert!(before.iter().all(|pid| !lives(*pid)), "escaped ones too");
    let death = &shop.why("s7").deaths[0];
    assert_eq!((death.run, death.failure, death.code), (1, false, None));
    assert!(death.cause.contains("the daemon was killed"), "{death:?}");
    assert!(shop.said().contains("that a killed supervisor"), "{}", shop.said());
    shop.end();
    assert_eq!(with_variable(&tag), [] as [i32; 0]);
}

#[test]
fn a_daemon_that_alone_is_killed_leaves_nothing_either() {
    let mut shop = Shop::new("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nstart = \"eager\"\n");
    shop.up();
    let pid = shop.pid("api");
    let supervisor = shop.daemon().supervisor();
    send_signal(supervisor, "KILL");
    shop.finish();
    assert!(!lives(pid));
    shop.begin();
    assert_eq!(shop.await_state("api", State::Running).run, 2);
    assert!(shop.why("api").deaths[0].cause.contains("the daemon was killed"));
}

#[test]
fn a_damaged_file_is_kept_aside_and_status_and_health_say_so() {
    let mut shop = Shop::new(CRASHER);
    shop.up();
    shop.end();
    let path = shop.scene.state_dir().join("slots.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"slot\": rubbish}\n");
    fs::write(&path, &text).unwrap();
    shop.begin();
    let aside = shop.scene.state_dir().join("slots.jsonl.aside-1");
    assert_eq!(fs::read_to_string(&aside).unwrap(), text);
    let health = block_on(shop.client.health()).unwrap().warnings;
    assert_eq!(health, shop.warnings());
    assert!(health[0].contains(aside.to_str().unwrap()), "{health:?}");
    assert!(health[0].contains("is damaged"), "{health:?}");
    assert_eq!(shop.await_state("api", State::Running).run, 2, "what can be read of it is used");
}

#[test]
fn a_file_of_a_newer_version_is_kept_aside_and_its_slots_are_not_known() {
    let mut shop = Shop::new(CRASHER);
    shop.up();
    shop.end();
    let path = shop.scene.state_dir().join("slots.jsonl");
    let text = fs::read_to_string(&path).unwrap().replacen("\"v\":1", "\"v\":2", 1);
    fs::write(&path, &text).unwrap();
    shop.begin();
    let aside = shop.scene.state_dir().join("slots.jsonl.aside-1");
    assert_eq!(fs::read_to_string(&aside).unwrap(), text);
    assert!(shop.warnings()[0].contains("newer version"), "{:?}", shop.warnings());
    assert_eq!(block_on(shop.client.slots(None)).unwrap().slots, []);
    assert_eq!(shop.up()["api"].status.as_ref().unwrap().state, State::Running);
}

#[test]
fn what_waited_for_another_slot_goes_on_waiting() {
    let mut shop = Shop::new(
        r#"
        [slots.db]
        command = ["sh", "-c", "until test -e gate; do sleep 0.01; done; echo open; exec sleep 1000"]
        ready = { log = "open" }
        [slots.web]
        command = ["sleep", "1000"]
        depends_on = ["db"]
        "#,
    );
    shop.start_no_wait("web");
    shop.await_event("db", "spawned");
    shop.again();
    shop.await_event("db", "spawned");
    assert_eq!(shop.await_state("web", State::Starting).run, 0);
    shop.open_gate("gate");
    assert_eq!(shop.await_state("web", State::Running).run, 1);
}
