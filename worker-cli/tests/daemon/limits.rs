//! What takes a running slot down: failing probes, and too much memory.

use worker_cli::api::{SlotStatus, State};

use crate::shop::{Shop, lives};

/// Waits until the slot runs for the second time, and checks that it came down the failure path.
fn check_restarted(shop: &Shop, slot: &str, first: i32, cause: &str) -> SlotStatus {
    let restarting = shop.await_event(slot, "restarting");
    assert_eq!(restarting["streak"], 1, "{restarting}");
    shop.await_nth_event(slot, "ready", 2);
    let status = shop.await_state(slot, State::Running);
    assert_eq!((status.run, status.restarts, status.streak), (2, 1, 1));
    assert!(!lives(first));
    let death = &shop.why(slot).deaths[0];
    assert!(death.failure && death.cause.contains(cause), "{death:?}");
    assert!(status.last_error.as_ref().unwrap().contains(cause), "{status:?}");
    status
}

#[test]
fn a_failing_exec_probe_restarts_the_slot_as_a_failure() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sleep", "1000"]
        alive = { exec = ["sh", "-c", "test ! -e ill || test $WORKER_RUN = 2"], every = "5ms", failures = 2, timeout = "30s" }
        restart = { backoff = "1ms" }
        "#,
    );
    let first = shop.start("api").unwrap().pid.unwrap();
    shop.open_gate("ill");
    check_restarted(&shop, "api", first, "2 liveness probes in a row failed");
}

#[test]
fn a_failing_http_probe_restarts_the_slot_as_a_failure() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
        ports = 1
        ready = { http = "/", timeout = "60s" }
        alive = { http = "/well", every = "5ms", failures = 3, timeout = "30s" }
        restart = { backoff = "1ms" }
        "#,
    );
    if !crate::ports::has_python() {
        return;
    }
    shop.open_gate("well");
    let first = shop.start("api").unwrap().pid.unwrap();
    std::fs::rename(shop.path("well"), shop.path("ill")).unwrap();
    shop.await_event("api", "restarting");
    shop.open_gate("well");
    let death = shop.why("api").deaths.pop().unwrap();
    assert!(death.failure && death.cause.contains("3 liveness probes"), "{death:?}");
    assert!(!lives(first));
}

#[test]
fn a_failing_tcp_probe_restarts_the_slot_as_a_failure() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["python3", "-c", """
import os, socket, time
listener = socket.create_server(('127.0.0.1', int(os.environ['PORT'])), backlog=4096)
while not (os.path.exists('deaf') and os.environ['WORKER_RUN'] == '1'): time.sleep(0.01)
listener.close()
time.sleep(1000)
"""]
        ports = 1
        ready = { tcp = true, timeout = "60s" }
        alive = { tcp = true, every = "5ms", failures = 2, timeout = "30s" }
        restart = { backoff = "1ms" }
        "#,
    );
    if !crate::ports::has_python() {
        return;
    }
    let first = shop.start("api").unwrap();
    shop.open_gate("deaf");
    let second = check_restarted(&shop, "api", first.pid.unwrap(), "2 liveness probes in a row");
    assert_eq!(second.ports, first.ports, "it keeps its ports");
}

#[test]
fn a_tree_that_takes_too_much_memory_is_taken_down() {
    let shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "until test -e eat; do sleep 0.01; done; test $WORKER_RUN = 2 || sh -c 'x=$(head -c 60000000 /dev/zero | tr \"\\0\" x); echo full; sleep 1000'; sleep 1000"]
        limits = { memory = "20M" }
        restart = { backoff = "1ms" }
        "#,
    );
    let first = shop.start("api").unwrap().pid.unwrap();
    shop.open_gate("eat");
    check_restarted(&shop, "api", first, "memory");
}

#[test]
fn a_limit_of_tasks_that_cannot_be_kept_is_said_once_and_keeps_nothing_from_running() {
    let mut shop = Shop::new(
        "[defaults]\nlimits = { tasks = 64 }\ncommand = [\"sleep\", \"1000\"]\n[slots.a]\n[slots.b]\n",
    );
    assert_eq!(shop.start("a").unwrap().state, State::Running);
    shop.daemon().await_line("limits of tasks cannot be kept here");
    assert_eq!(shop.start("b").unwrap().state, State::Running);
    let said = shop.end();
    assert!(!said.contains("limits of tasks"), "{said}");
}
