//! Slots that need others.

use worker_cli::api::{State, StopRequest, UpRequest};
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::eventually;
use crate::shop::{Shop, full};

/// `db` is ready when `gate` is there, and `web` needs it.
const GATED: &str = r#"
[slots.db]
command = ["sh", "-c", "until test -e gate; do sleep 0.01; done; echo db >> order; echo open; exec sleep 1000"]
ready = { log = "^open$" }
[slots.web]
command = ["sh", "-c", "echo web >> order; exec sleep 1000"]
depends_on = ["db"]
start = "eager"
"#;

#[test]
fn a_slot_starts_after_what_it_depends_on_is_ready() {
    let shop = Shop::new(GATED);
    let web = shop.starting("web");
    shop.await_event("db", "spawned");
    let waits = shop.await_state("web", State::Starting);
    assert_eq!((waits.run, waits.pid, waits.last_error.as_deref()), (0, None, None));
    let next = waits.next.unwrap();
    assert_eq!((next.at.as_deref(), next.what.as_str()), (None, "start when shop/db is ready"));
    shop.open_gate("gate");
    assert_eq!(web.join().unwrap().unwrap().state, State::Running);
    shop.await_text("order", "db\nweb\n");
    assert_eq!(shop.slot("db").run, 1);
}

#[test]
fn a_restart_waits_for_what_it_depends_on_too() {
    let shop = Shop::new(GATED);
    shop.open_gate("gate");
    shop.start("web").unwrap();
    shop.stop("db");
    let web = block_on(shop.client.restart(&full("web"), &shop.start_request())).unwrap();
    assert_eq!((web.state, web.run), (State::Running, 2));
    assert_eq!(shop.state("db"), State::Running);
    shop.await_text("order", "db\nweb\ndb\nweb\n");
}

#[test]
fn what_is_changed_with_what_it_depends_on_restarts_after_it() {
    let shop = Shop::new(GATED);
    shop.open_gate("gate");
    shop.start("web").unwrap();
    std::fs::remove_file(shop.path("gate")).unwrap();
    shop.write(&GATED.replace("exec sleep 1000", "exec sleep 2000"));
    std::thread::scope(|scope| {
        let up = scope.spawn(|| shop.up());
        shop.await_nth_event("db", "spawned", 2);
        assert_eq!(shop.state("web"), State::Running, "as before");
        shop.open_gate("gate");
        assert!(up.join().unwrap().values().all(|slot| slot.error.is_none()));
    });
    shop.await_text("order", "db\nweb\ndb\nweb\n");
}

#[test]
fn a_slot_goes_on_whose_restart_waits_for_what_cannot_be_started() {
    let shop = Shop::new(
        r#"
        [slots.db]
        command = ["sh", "-c", "test ! -e broken && exec sleep 1000; exit 3"]
        ready = { exec = ["test", "!", "-e", "broken"] }
        restart = { when = "never" }
        [slots.web]
        command = ["sleep", "1000"]
        depends_on = ["db"]
        "#,
    );
    let pid = shop.start("web").unwrap().pid;
    shop.stop("db");
    shop.open_gate("broken");
    let restart = block_on(shop.client.restart(&full("web"), &shop.start_request()));
    let said = restart.unwrap_err().message;
    assert!(said.starts_with("shop/web was not restarted: shop/db could not be started"), "{said}");
    let web = shop.slot("web");
    assert_eq!((web.state, web.pid, web.last_error), (State::Running, pid, None));
}

#[test]
fn an_up_that_does_not_wait_answers_what_it_has_asked_for() {
    let shop = Shop::new(GATED);
    let request = UpRequest { no_wait: true, ..shop.up_request() };
    let up = block_on(shop.client.up("shop", &request)).unwrap();
    let web = up.slots.into_iter().find(|slot| slot.slot == "shop/web").unwrap();
    assert_eq!(web.status.unwrap().state, State::Starting);
}

#[test]
fn a_start_that_waits_is_under_way_since_it_was_asked_for() {
    let shop = Shop::new(GATED);
    shop.open_gate("gate");
    shop.start("web").unwrap();
    shop.stop("db");
    let stopped = shop.stop("web").since;
    std::fs::remove_file(shop.path("gate")).unwrap();
    eventually("the clock to go on", || jiff::Timestamp::now().to_string()[..23] > stopped[..23]);
    let web = shop.starting("web");
    let waits = shop.await_state("web", State::Starting);
    assert!(waits.since > stopped, "{} is after {stopped}", waits.since);
    shop.open_gate("gate");
    web.join().unwrap().unwrap();
}

#[test]
fn all_who_start_a_slot_that_waits_share_its_start() {
    let shop = Shop::new(GATED);
    let starts: Vec<_> = (0..5).map(|_| shop.starting("web")).collect();
    shop.await_event("db", "spawned");
    shop.open_gate("gate");
    for start in starts {
        assert_eq!(start.join().unwrap().unwrap().run, 1);
    }
    shop.await_text("order", "db\nweb\n");
}

#[test]
fn a_stop_cancels_a_start_that_waits_and_who_asked_for_it_hears_so() {
    let shop = Shop::new(GATED);
    let start = shop.starting("web");
    shop.await_event("db", "spawned");
    shop.await_state("web", State::Starting);
    assert_eq!(shop.start_no_wait("web").state, State::Starting);
    let stopped = shop.stop("web");
    assert_eq!((stopped.state, stopped.next), (State::Stopped, None));
    assert_eq!(start.join().unwrap().unwrap_err().code, Code::Cancelled);
    shop.open_gate("gate");
    shop.await_state("db", State::Running);
    assert_eq!(shop.state("web"), State::Stopped, "only db was not stopped");
    shop.await_text("order", "db\n");
}

#[test]
fn a_slot_whose_dependency_fails_is_in_error_and_says_so() {
    let shop = Shop::new(
        r#"
        [slots.db]
        command = ["sh", "-c", "echo no disk; exit 3"]
        ready = { log = "open" }
        restart = { when = "never" }
        [slots.web]
        command = ["sleep", "1000"]
        depends_on = ["db"]
        start = "eager"
        "#,
    );
    let up = shop.up();
    let error = up["web"].error.as_ref().unwrap();
    assert!(error.message.starts_with("shop/web was not started: shop/db could not be started"));
    let web = shop.slot("web");
    assert_eq!((web.state, web.run), (State::Error, 0));
    let said = web.last_error.unwrap();
    assert!(said.contains("shop/db could not be started: exit code 3"), "{said}");
    // It is tried anew.
    shop.write("[slots.db]\ncommand = [\"sleep\", \"1000\"]\n[slots.web]\ncommand = [\"sleep\", \"1000\"]\ndepends_on = [\"db\"]");
    let web = shop.start("web").unwrap();
    assert_eq!((web.state, web.last_error), (State::Running, None));
    assert_eq!(shop.state("db"), State::Running);
}

#[test]
fn a_slot_whose_dependency_is_parked_is_told_how_to_re_arm_it() {
    let shop = Shop::new(
        r#"
        [slots.db]
        command = ["false"]
        restart = { max_failures = 1 }
        [slots.web]
        command = ["sleep", "1000"]
        depends_on = ["db"]
        "#,
    );
    shop.start_no_wait("db");
    shop.await_state("db", State::Failed);
    let failure = shop.start("web").unwrap_err();
    assert_eq!(failure.code, Code::Parked);
    assert!(failure.message.contains("shop/db is parked"), "{failure}");
    assert!(failure.hint.unwrap().contains("worker reset shop/db"));
    assert_eq!(shop.state("web"), State::Error);
}

#[test]
fn a_slot_in_error_waits_again_for_what_it_depends_on() {
    let shop = Shop::new(
        r#"
        [slots.db]
        command = ["sleep", "1000"]
        [slots.web]
        command = ["./server"]
        depends_on = ["db"]
        "#,
    );
    assert_eq!(shop.start("web").unwrap_err().code, Code::SpawnFailed);
    assert_eq!((shop.state("db"), shop.state("web")), (State::Running, State::Error));
    shop.stop("db");
    crate::common::script(shop.scene.scratch(), "server", "exec sleep 1000");
    assert_eq!(shop.start("web").unwrap().state, State::Running);
    assert_eq!(shop.state("db"), State::Running);
}

#[test]
fn down_stops_first_what_depends_on_others() {
    let shop = Shop::new(
        r#"
        [defaults]
        start = "eager"
        [slots.db]
        command = ["sh", "-c", "trap 'echo db >> order; exit' TERM; echo up; while :; do sleep 0.01; done"]
        ready = { log = "up" }
        [slots.api]
        command = ["sh", "-c", "trap 'echo api >> order; exit' TERM; echo up; while :; do sleep 0.01; done"]
        ready = { log = "up" }
        depends_on = ["db"]
        [slots.web]
        command = ["sh", "-c", "trap 'echo web >> order; exit' TERM; echo up; while :; do sleep 0.01; done"]
        ready = { log = "up" }
        depends_on = ["api", "db"]
        "#,
    );
    shop.up();
    let mut down = block_on(shop.client.down("shop", StopRequest::default())).unwrap().stopped;
    down.sort();
    assert_eq!(down, ["shop/api", "shop/db", "shop/web"]);
    shop.await_text("order", "web\napi\ndb\n");
}

#[test]
fn down_cancels_what_waits() {
    let shop = Shop::new(GATED);
    let web = shop.starting("web");
    shop.await_state("web", State::Starting);
    let down = block_on(shop.client.down("shop", StopRequest::default())).unwrap().stopped;
    assert!(down.contains(&"shop/web".to_owned()), "{down:?}");
    assert_eq!(web.join().unwrap().unwrap_err().code, Code::Cancelled);
    assert_eq!((shop.state("web"), shop.state("db")), (State::Stopped, State::Stopped));
}
