//! What is told of the end of a run.

use worker_cli::api::State;
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::finish;
use crate::shop::{Shop, lives};

#[test]
fn a_crash_is_told_with_its_last_bytes() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo one; echo two >&2; printf 'last words'; kill -9 $$"]
        restart = { max_failures = 1 }
        "#,
    );
    shop.start_no_wait("api");
    let parked = shop.await_state("api", State::Failed);
    let why = shop.why("api");
    let death = &why.deaths[0];
    assert_eq!((death.run, death.signal.as_deref(), death.code), (1, Some("SIGKILL"), None));
    assert!(death.failure && death.uptime_ms.is_some(), "{death:?}");
    let mut output = death.output.clone();
    output.sort();
    assert_eq!(output, ["last words", "one", "two"]);
    let mut log = shop.log("api");
    log.sort();
    assert_eq!(log, ["last words", "one", "two"]);
    assert!(why.next.contains("worker reset shop/api"), "{}", why.next);
    assert!(parked.last_error.unwrap().contains("signal=SIGKILL"));
}

#[test]
fn a_run_that_is_not_ready_in_time_says_what_it_said_last() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo loading; echo waiting for the database; sleep 1000 & echo $! > child; sleep 1000"]
        ready = { log = "^listening", timeout = "1s" }
        restart = { backoff = "30s", max_failures = 2 }
        "#,
    );
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::StartFailed);
    let said = "shop/api could not be started: not ready after 1 s; its last output:\n  loading\n  \
                waiting for the database";
    assert_eq!(failure.message, said);
    let restarting = shop.await_state("api", State::Restarting);
    let said = "not ready after 1 s; its last output: waiting for the database";
    assert_eq!(restarting.last_error.as_deref(), Some(said));
    assert_eq!(restarting.next.unwrap().what, "restart");
    assert!(!lives(shop.read("child").trim().parse().unwrap()), "the whole tree is ended");
}

#[test]
fn a_first_attempt_that_trips_the_breaker_is_told_as_parked_with_the_last_output() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "echo no cheese; exit 3"]
        ready = { log = "^listening" }
        restart = { max_failures = 1 }
        start = "eager"
        [slots.web]
        command = ["sh", "-c", "exit 4"]
        ready = { log = "^listening" }
        start = "eager"
        "#,
    );
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::Parked);
    let said = "shop/api is parked: circuit breaker tripped: 1 consecutive non-clean exits within \
                300s (last: code=3 signal=- before it was ready); its last output: no cheese";
    assert_eq!(failure.message, said);
    assert!(failure.hint.unwrap().contains("worker reset shop/api"));
    assert_eq!(shop.state("api"), State::Failed, "whoever hears so can re-arm it");
    block_on(shop.client.reset("shop/api")).unwrap();

    let mut up = shop.scene.worker(&["up"]);
    up.current_dir(shop.scene.scratch());
    let up = finish(up);
    assert_eq!(up.code, Some(5), "{}", up.stderr);
    assert!(up.stderr.contains("its last output: no cheese"), "{}", up.stderr);
    assert!(up.stderr.contains("worker reset shop/api"), "{}", up.stderr);
    assert!(up.stderr.contains("shop/web could not be started: exit code 4"), "{}", up.stderr);
}

#[test]
fn each_failed_start_tells_its_own_cause() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "code=$(cat code); echo code $code; exit $code"]
        ready = { log = "^listening" }
        restart = { when = "never" }
        "#,
    );
    for code in [3, 4, 5] {
        std::fs::write(shop.path("code"), code.to_string()).unwrap();
        let failure = shop.start("api").unwrap_err();
        let said = format!(
            "shop/api could not be started: exit code {code} before it was ready; its last output: \
             code {code}"
        );
        assert_eq!(failure.message, said);
    }
    shop.await_state("api", State::Stopped);
    let codes: Vec<_> = shop.why("api").deaths.iter().map(|death| death.code).collect();
    assert_eq!(codes, [Some(5), Some(4), Some(3)]);
}

#[test]
fn a_slot_is_ready_when_a_line_of_either_stream_says_so() {
    let shop = Shop::new(
        r#"
        [defaults]
        ready = { log = "^listening on [0-9]+$" }
        [slots.out]
        command = ["sh", "-c", "echo listening soon; printf 'listening '; echo on 80; exec sleep 1000"]
        [slots.err]
        command = ["sh", "-c", "echo listening on 80 >&2; exec sleep 1000"]
        "#,
    );
    assert_eq!(shop.start("out").unwrap().state, State::Running);
    assert_eq!(shop.start("err").unwrap().state, State::Running);
}

#[test]
fn a_start_that_does_not_spawn_names_the_mend_each_time() {
    let shop = Shop::new("[slots.api]\ncommand = [\"./server\"]\ndir = \"app\"\n");
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::SpawnFailed);
    assert!(failure.message.contains("/app"), "there is no such folder: {failure}");
    std::fs::create_dir(shop.path("app")).unwrap();
    let failure = shop.start("api").unwrap_err();
    assert!(failure.message.contains("./server"), "there is no such program: {failure}");
    let said = shop.slot("api").last_error.unwrap();
    assert!(failure.message.ends_with(&said), "{said}");
    crate::common::script(&shop.path("app"), "server", "exec sleep 1000");
    let api = shop.start("api").unwrap();
    assert_eq!((api.state, api.last_error), (State::Running, None));
}

#[test]
fn a_run_that_was_not_ready_in_time_leaves_its_ports_to_others() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sleep", "1000"]
        ports = 1
        ready = { log = "never", timeout = "100ms" }
        restart = { backoff = "1ms", max_failures = 2 }
        "#,
    );
    assert_eq!(shop.start("api").unwrap_err().code, Code::StartFailed);
    let parked = shop.await_state("api", State::Failed);
    assert_eq!((parked.streak, parked.ports), (2, vec![]));
    let ports = |nth| shop.await_nth_event("api", "spawned", nth)["ports"].clone();
    assert_ne!(ports(1), ports(2), "a new block is drawn");
}
