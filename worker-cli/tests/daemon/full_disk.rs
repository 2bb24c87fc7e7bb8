//! A state folder on a disk without room.
#![expect(clippy::disallowed_methods, reason = "mounts are made by a program of the system")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use worker_cli::api::State;

use crate::common::{Scene, eventually};
use crate::shop::Shop;

/// A small disk of its own; gone when it is dropped.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None, with a word, where none can be made.
    fn at(folder: PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"])
            .arg(&folder)
            .output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        if !is_mounted {
            println!("skipped: no small disk can be mounted, which takes a privileged user");
        }
        is_mounted.then_some(Self { folder })
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Leaves no byte of room.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for chunk in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![0; chunk]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}

fn check_whole_lines(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
    }
}

#[test]
fn slots_go_on_where_the_disk_is_full_and_what_is_known_is_kept_when_there_is_room() {
    let mut shop;
    let scene = Scene::new();
    let Some(disk) = Disk::at(scene.state_dir()) else { return };
    shop = Shop::at(
        scene,
        r#"
        [slots.api]
        command = ["sh", "-c", "until test -e crash; do sleep 0.01; done; rm crash; head -c 100000 /dev/zero | tr '\\0' 'x'; echo; exit 9"]
        restart = { backoff = "1ms", max_failures = 30 }
        "#,
    );
    shop.start("api").unwrap();
    disk.fill();
    for crash in 1..=5 {
        shop.open_gate("crash");
        shop.await_nth_event("api", "ready", crash + 1);
    }
    let api = shop.await_state("api", State::Running);
    assert_eq!((api.run, api.streak), (6, 5));
    let warnings = shop.warnings().join("\n");
    assert!(warnings.contains("slots.jsonl cannot be written"), "{warnings}");
    assert!(warnings.contains("the output of shop/api cannot be kept"), "{warnings}");
    check_whole_lines(&shop.scene.state_dir().join("slots/shop/api/deaths.jsonl"));
    disk.make_room();
    eventually("what is known to be written", || {
        !shop.warnings().join("\n").contains("slots.jsonl")
    });
    check_whole_lines(&shop.scene.state_dir().join("slots.jsonl"));
    shop.open_gate("crash");
    shop.await_nth_event("api", "ready", 7);
    eventually("output to be kept again", || shop.warnings().is_empty());
    assert_eq!(shop.why("api").deaths[0].run, 6);
    shop.kill_both();
    shop.begin();
    let api = shop.await_state("api", State::Running);
    assert_eq!((api.run, api.streak, api.restarts), (8, 6, 7));
    drop(disk);
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_the_size_of_files_is_as_a_full_disk_is() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let mut shop = Shop::new(
        r#"
        [slots.api]
        command = ["sh", "-c", "while :; do echo some output; done"]
        start = "eager"
        "#,
    );
    let daemon = Pid::from_raw(shop.daemon().supervisor());
    let limit = Rlimit { current: Some(64 * 1024), maximum: Some(64 * 1024) };
    prlimit(daemon, Resource::Fsize, limit).unwrap();
    shop.up();
    let is_said = |it: &String| it.starts_with("the output of shop/api cannot be kept");
    eventually("the limit to be told of", || shop.warnings().iter().any(is_said));
    assert_eq!(shop.state("api"), State::Running);
}
