//! The environment of a run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use worker_cli::api::StartRequest;
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::{Daemon, Scene};
use crate::shop::{Shop, env, full};

/// What the process got, without the mark by which its tree is known.
fn environ(pid: i32) -> BTreeMap<String, String> {
    let text = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let pairs = text.split(|byte| *byte == 0).map(|pair| String::from_utf8_lossy(pair));
    let pairs = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.filter(|(name, _)| name != worker_platform_unix::MARKER).collect()
}

const SLOTS: &str = r#"
[slots.api]
command = ["sleep", "1000"]
ports = 2
env_file = ["one.env", "two.env"]
env = { FROM_CONFIG = "{slot} of {project} at {port} and {port+1} in {dir}", B = "config" }
restart = { backoff = "1ms" }
[templates.agent]
command = ["sleep", "1000"]
env = { ID = "{id}" }
"#;

fn shop() -> Shop {
    let shop = Shop::new(SLOTS);
    fs::write(shop.path("one.env"), "A=one\nB=one\nC=one\n").unwrap();
    fs::write(shop.path("two.env"), "# later ones win\nA=two\n").unwrap();
    shop
}

#[test]
fn what_is_told_of_an_environment_is_exactly_what_the_run_has() {
    let shop = shop();
    let given = env(&[("GIVEN", "yes"), ("C", "given"), ("WORKER_SLOT", "forged"), ("PORT", "1")]);
    let request = StartRequest { env: Some(given), ..shop.start_request() };
    let api = block_on(shop.client.start(&full("api"), &request)).unwrap();
    let told = shop.env("api");
    assert_eq!(told, environ(api.pid.unwrap()));
    let [port, next] = [api.ports[0], api.ports[1]].map(|port| port.to_string());
    let dir = shop.scene.scratch().display();
    let from_config = format!("api of shop at {port} and {next} in {dir}");
    let expected = [
        ("A", "two"),
        ("B", "config"),
        ("C", "one"),
        ("GIVEN", "yes"),
        ("FROM_CONFIG", &from_config),
        ("PORT", &port),
        ("PORT_1", &next),
        ("WORKER_SLOT", "shop/api"),
        ("WORKER_RUN", "1"),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!told.contains_key("HOME"), "nothing is the daemon's own");
    shop.start("agent@one").unwrap();
    let told = shop.env("agent@one");
    assert_eq!((&*told["ID"], &*told["WORKER_SLOT"]), ("one", "shop/agent@one"));
}

#[test]
fn the_environment_is_that_of_the_start_and_stays_so_over_restarts() {
    let mut shop = shop();
    let start = |shop: &Shop, value: &str| {
        let given = Some(env(&[("GIVEN", value)]));
        block_on(
            shop.client.start(&full("api"), &StartRequest { env: given, ..shop.start_request() }),
        )
        .unwrap()
    };
    let first = start(&shop, "first");
    assert_eq!(start(&shop, "second").pid, first.pid, "it runs already");
    assert_eq!(shop.env("api")["GIVEN"], "first");
    crate::common::send_signal(first.pid.unwrap(), "KILL");
    shop.await_nth_event("api", "ready", 2);
    assert_eq!(environ(shop.pid("api"))["GIVEN"], "first");
    shop.again();
    shop.await_event("api", "ready");
    assert_eq!(environ(shop.pid("api"))["GIVEN"], "first");
    shop.stop("api");
    start(&shop, "third");
    assert_eq!(environ(shop.pid("api"))["GIVEN"], "third");
}

#[test]
fn what_a_daemon_cannot_keep_of_its_own_environment_is_said_once() {
    let scene = Scene::new();
    let mut daemon = scene.worker(&["daemon"]);
    daemon.env("ODD", OsStr::from_bytes(b"a\xffb"));
    let mut shop = Shop::with(Daemon::start(daemon), scene, SLOTS);
    fs::write(shop.path("one.env"), "").unwrap();
    fs::write(shop.path("two.env"), "").unwrap();
    for slot in ["api", "agent@one"] {
        let request = StartRequest { env: None, ..shop.start_request() };
        block_on(shop.client.start(&full(slot), &request)).unwrap();
        assert!(!shop.env(slot).contains_key("ODD") && shop.env(slot).contains_key("HOME"));
    }
    let said = shop.end();
    assert_eq!(said.matches("not UTF-8, so the slots do not get them: ODD").count(), 1, "{said}");
}

#[test]
fn a_file_of_variables_that_is_missing_starts_nothing() {
    let shop = shop();
    fs::remove_file(shop.path("two.env")).unwrap();
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::BadConfig);
    assert!(failure.message.contains("two.env"), "{failure}");
    assert_eq!(shop.slot("api").run, 0);
}
