//! A state folder on a disk that hangs: what is appended to a pipe that nobody reads waits in the same
//! way, for as long as nobody does.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use worker_cli::api::State;

use crate::common::eventually;
use crate::shop::Shop;

/// A crash is told with its last lines, which are more than a pipe holds.
const SLOTS: &str = r#"
    [slots.api]
    command = ["sh", "-c", "until test -e crash; do sleep 0.01; done; rm crash; for line in 1 2; do head -c 60000 /dev/zero | tr '\\0' 'x'; echo; done; exit 9"]
    restart = { backoff = "1ms", max_failures = 30 }
    [slots.web]
    command = ["sleep", "1000"]
    "#;

/// How often `api` crashes while the disk hangs.
const CRASHES: usize = 3;

/// A daemon whose disk hangs since a crash of `api`.
fn hung() -> Shop {
    let shop = Shop::new(SLOTS);
    let pipe = pipe(&shop);
    fs::create_dir_all(pipe.parent().unwrap()).unwrap();
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    shop.start("api").unwrap();
    for crash in 1..=CRASHES {
        shop.open_gate("crash");
        shop.await_nth_event("api", "ready", crash + 1);
    }
    eventually("it to be said", || is_said(&shop));
    shop
}

fn pipe(shop: &Shop) -> PathBuf {
    shop.scene.state_dir().join("slots/shop/api/deaths.jsonl")
}

fn is_said(shop: &Shop) -> bool {
    shop.warnings().iter().any(|warning| warning.starts_with("the disk has not taken for"))
}

#[test]
fn slots_go_on_where_the_disk_hangs_and_what_is_known_is_written_when_it_goes_on() {
    let mut shop = hung();
    assert_eq!(shop.start("web").unwrap().state, State::Running);
    assert_eq!(shop.stop("web").state, State::Stopped);
    assert_eq!(shop.start("web").unwrap().run, 2);
    let records = || fs::read_to_string(shop.scene.state_dir().join("slots.jsonl")).unwrap();
    assert!(!records().contains("shop/web"), "it is behind");
    let pipe = pipe(&shop);
    let mut from = File::open(&pipe).unwrap();
    fs::remove_file(&pipe).unwrap();
    let read = thread::spawn(move || io::copy(&mut from, &mut io::sink()).unwrap());
    eventually("the disk to have caught up", || shop.warnings().is_empty());
    assert!(read.join().unwrap() > 120_000, "none is lost");
    shop.open_gate("crash");
    shop.await_nth_event("api", "ready", CRASHES + 2);
    let known = |shop: &Shop| shop.why("api").deaths.iter().map(|it| it.run).collect::<Vec<_>>();
    assert_eq!(known(&shop)[0], 4);
    shop.kill_both();
    shop.begin();
    let (api, web) =
        (shop.await_state("api", State::Running), shop.await_state("web", State::Running));
    assert_eq!((api.run, api.streak, web.run), (6, 4, 3));
    assert_eq!(known(&shop)[..2], [5, 4]);
}

#[test]
fn a_daemon_whose_disk_hangs_ends_all_the_same_and_says_what_that_costs() {
    let mut shop = hung();
    let said = shop.end();
    assert!(said.contains("not all that is known of slots could be written"), "{said}");
}
