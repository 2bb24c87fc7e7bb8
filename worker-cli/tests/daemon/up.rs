//! Applying a configuration.

use std::collections::BTreeMap;
use std::fs;

use worker_cli::api::{Change, State, UpRequest, UpSlot};
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::eventually;
use crate::shop::{SLEEP, Shop, lives};

fn eager(names: &[&str]) -> String {
    let slot = |name: &&str| format!("[slots.{name}]\n{SLEEP}\nstart = \"eager\"\n");
    names.iter().map(slot).collect()
}

fn changes(up: &BTreeMap<String, UpSlot>) -> Vec<(&str, Change)> {
    up.iter().map(|(name, slot)| (name.as_str(), slot.change)).collect()
}

#[test]
fn up_applies_the_difference_and_leaves_alone_what_did_not_change() {
    let shop = Shop::new(&eager(&["gone", "same", "turned"]));
    assert!(shop.up().values().all(|slot| slot.change == Change::New && slot.error.is_none()));
    let [gone, same, turned] = ["gone", "same", "turned"].map(|name| shop.pid(name));
    let text = eager(&["new", "same"])
        + "[slots.turned]\ncommand = [\"sleep\", \"2000\"]\nstart = \"eager\"\n";
    shop.write(&text);
    let up = shop.up();
    let expected = [
        ("gone", Change::Removed),
        ("new", Change::New),
        ("same", Change::Unchanged),
        ("turned", Change::Changed),
    ];
    assert_eq!(changes(&up), expected);
    assert!(!lives(gone) && !lives(turned) && lives(same));
    assert_eq!(shop.pid("same"), same);
    assert_ne!(shop.pid("turned"), turned);
    assert_eq!((shop.slot("turned").run, shop.state("new")), (2, State::Running));
    assert!(up["gone"].status.is_none());
    let known = block_on(shop.client.slots(None)).unwrap().slots;
    assert_eq!(known.len(), 3, "{known:?}");
    let pids = ["new", "same", "turned"].map(|name| shop.pid(name));
    let again = shop.up();
    assert!(again.values().all(|slot| slot.change == Change::Unchanged), "{again:?}");
    assert_eq!(["new", "same", "turned"].map(|name| shop.pid(name)), pids);
}

#[test]
fn a_slot_that_was_removed_stays_away_and_counts_on_when_it_comes_back() {
    let mut shop = Shop::new(&eager(&["api", "web"]));
    shop.up();
    shop.write(&eager(&["api"]));
    shop.up();
    let failure = block_on(shop.client.slot("shop/web")).unwrap_err();
    assert_eq!(failure.code, Code::NoSuchSlot);
    shop.again();
    assert_eq!(block_on(shop.client.slots(None)).unwrap().slots.len(), 1);
    shop.write(&eager(&["api", "web"]));
    assert_eq!(shop.up()["web"].change, Change::New);
    assert_eq!(shop.slot("web").run, 2);
}

#[test]
fn a_slot_that_comes_back_while_it_is_being_removed_stays_on_the_list() {
    let both = eager(&["same"])
        + r#"
        [slots.slow]
        command = ["sh", "-c", "trap 'until test -e gate; do sleep 0.01; done; exit 0' TERM; echo up; while :; do sleep 0.01; done"]
        ready = { log = "up" }
        stop = { grace = "60s" }
        start = "eager"
        "#;
    let shop = Shop::new(&both);
    shop.up();
    std::thread::scope(|scope| {
        shop.write(&eager(&["same"]));
        let removing = scope.spawn(|| shop.up());
        shop.await_state("slow", State::Stopping);
        shop.write(&both);
        block_on(shop.client.up("shop", &UpRequest { no_wait: true, ..shop.up_request() }))
            .unwrap();
        shop.open_gate("gate");
        assert_eq!(removing.join().unwrap()["slow"].change, Change::Removed);
    });
    assert_eq!(shop.await_state("slow", State::Running).run, 2);
}

#[test]
fn an_invalid_file_changes_nothing() {
    let shop = Shop::new(&eager(&["api", "web"]));
    shop.up();
    let pids = ["api", "web"].map(|name| shop.pid(name));
    shop.write("[slots.api]\ncommand = 5\n[slots.db]\ncomand = \"x\"\n");
    let failure = shop.try_up().unwrap_err();
    assert_eq!(failure.code, Code::BadConfig);
    assert!(failure.message.contains("comand"), "all that is wrong is told: {failure}");
    assert!(failure.message.contains("command = 5"), "{failure}");
    assert_eq!(["api", "web"].map(|name| shop.pid(name)), pids);
    assert_eq!(block_on(shop.client.slots(None)).unwrap().slots.len(), 2);
}

#[test]
fn a_local_file_overrides_the_committed_one() {
    let shop = Shop::new(&eager(&["api"]));
    fs::write(shop.path("worker.local.toml"), "[slots.api]\nenv = { MODE = \"mine\" }\n").unwrap();
    shop.up();
    assert_eq!(shop.env("api")["MODE"], "mine");
    fs::write(shop.path("worker.local.toml"), "[slots.api]\nenv = { MODE = \"new\" }\n").unwrap();
    assert_eq!(shop.up()["api"].change, Change::Changed);
    assert_eq!(shop.env("api")["MODE"], "new");
}

#[test]
fn two_projects_of_one_name_are_refused_until_one_is_gone() {
    let shop = Shop::new(&eager(&["api"]));
    shop.up();
    let pid = shop.pid("api");
    let folder = shop.path("other");
    fs::create_dir(&folder).unwrap();
    let config = folder.join("worker.toml");
    fs::write(&config, format!("project = \"shop\"\n{}", eager(&["api"]))).unwrap();
    let mut request = shop.up_request();
    request.config.clone_from(&config);
    let failure = block_on(shop.client.up("shop", &request)).unwrap_err();
    assert_eq!(failure.code, Code::BadConfig);
    assert!(failure.message.contains(shop.path("worker.toml").to_str().unwrap()), "{failure}");
    assert!(failure.hint.unwrap().contains("project = "));
    assert_eq!(shop.pid("api"), pid);
    fs::remove_file(shop.path("worker.toml")).unwrap();
    block_on(shop.client.up("shop", &request)).unwrap();
    assert_ne!(shop.pid("api"), pid, "it is in another folder now");
}

#[test]
fn a_start_reads_the_file_and_leaves_to_up_what_runs_as_it_was_before() {
    let shop = Shop::new(&eager(&["api"]));
    shop.up();
    let pid = shop.pid("api");
    shop.write("[slots.api]\ncommand = [\"sleep\", \"2000\"]\nstart = \"eager\"\n[slots.new]\ncommand = [\"sleep\", \"1000\"]\n");
    assert_eq!(shop.start("new").unwrap().state, State::Running);
    assert_eq!(shop.start("api").unwrap().pid, Some(pid), "it runs already");
    assert_eq!(shop.up()["api"].change, Change::Changed);
    assert_ne!(shop.pid("api"), pid);
    assert_eq!(shop.up()["api"].change, Change::Unchanged);
}

#[test]
fn a_slot_at_rest_takes_its_changed_configuration_at_once() {
    let shop = Shop::new("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nstart = \"on-demand\"\n");
    assert_eq!(shop.up()["api"].change, Change::New);
    shop.write("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nstart = \"on-demand\"\nenv = { MODE = \"new\" }\nrestart = { max_failures = 3 }\n");
    assert_eq!(shop.up()["api"].change, Change::Changed);
    assert_eq!(shop.up()["api"].change, Change::Unchanged);
    let api = shop.slot("api");
    assert_eq!((api.state, api.max_failures), (State::Stopped, 3));
    assert_eq!(shop.env("api")["MODE"], "new");
}

#[test]
fn instances_of_a_changed_template_restart_if_they_run() {
    let template = |seconds| format!("[templates.agent]\ncommand = [\"sleep\", \"{seconds}\"]\n");
    let shop = Shop::new(&(template(1000) + &eager(&["api"])));
    shop.up();
    shop.start("agent@one").unwrap();
    shop.start("agent@two").unwrap();
    shop.stop("agent@two");
    let (api, one) = (shop.pid("api"), shop.pid("agent@one"));
    assert_eq!(shop.up()["agent@one"].change, Change::Unchanged);
    assert_eq!(shop.pid("agent@one"), one);
    shop.write(&(template(2000) + &eager(&["api"])));
    let up = shop.up();
    assert_eq!(up["agent@one"].change, Change::Changed);
    assert_ne!(shop.pid("agent@one"), one);
    assert_eq!((shop.pid("api"), shop.state("agent@two")), (api, State::Stopped));
    shop.write(&eager(&["api"]));
    assert_eq!(shop.up()["agent@one"].change, Change::Removed);
    assert_eq!(block_on(shop.client.slots(None)).unwrap().slots.len(), 1);
}

#[test]
fn a_slot_that_waits_starts_as_the_changed_configuration_has_it() {
    let text = |seconds| {
        format!(
            "[slots.db]\ncommand = [\"sh\", \"-c\", \"until test -e gate; do sleep 0.01; done; \
             echo open; exec sleep 1000\"]\nready = {{ log = \"open\" }}\n[slots.web]\n\
             command = [\"sleep\", \"{seconds}\"]\ndepends_on = [\"db\"]\nstart = \"eager\"\n"
        )
    };
    let shop = Shop::new(&text(1000));
    let waits = shop.starting("web");
    shop.await_state("web", State::Starting);
    shop.write(&text(2000));
    let up = std::thread::scope(|scope| {
        let up = scope.spawn(|| shop.up());
        // Who waited for the start as it was before hears that it was cancelled.
        eventually("the start before to be cancelled", || waits.is_finished());
        shop.open_gate("gate");
        up.join().unwrap()
    });
    assert_eq!(up["web"].error, None);
    let command = fs::read(format!("/proc/{}/cmdline", shop.pid("web"))).unwrap();
    assert!(command.ends_with(b"sleep\x002000\0"), "{command:?}");
    assert_eq!(waits.join().unwrap().unwrap_err().code, Code::Cancelled);
}

#[test]
fn up_starts_the_others_where_one_fails() {
    let shop = Shop::new(
        &(eager(&["api", "web"]) + "[slots.bad]\ncommand = [\"./none\"]\nstart = \"eager\"\n"),
    );
    let up = shop.up();
    assert!(up["bad"].error.as_ref().unwrap().message.contains("./none"), "{up:?}");
    let states = ["api", "bad", "web"].map(|name| shop.state(name));
    assert_eq!(states, [State::Running, State::Error, State::Running]);
}
