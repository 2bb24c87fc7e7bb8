//! The clock on the wall is set while the daemon runs.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "the clock is bent by a library that is built here")]

use std::path::{Path, PathBuf};
use std::process::Command;

use worker_cli::api::State;

use crate::common::{Daemon, Scene};
use crate::shop::Shop;

/// Adds the seconds that a file holds to what the clock on the wall shows.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int outcome = real(clock, now);
    int file = clock == CLOCK_REALTIME ? open(getenv("BENT_BY"), O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        char text[32] = {0};
        if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
        close(file);
    }
    return outcome;
}
"#;

/// None, with a word, where it cannot be built.
fn library(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("bent.c"), folder.join("bent.so"));
    std::fs::write(&source, LIBRARY).unwrap();
    let mut build = Command::new("cc");
    build.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let is_built = build.status().is_ok_and(|status| status.success());
    if !is_built {
        println!("skipped: there is no C compiler that can build a library");
    }
    is_built.then_some(library)
}

#[test]
fn a_clock_that_is_set_restarts_and_stops_nothing() {
    let scene = Scene::new();
    let Some(library) = library(scene.scratch()) else { return };
    let bent_by = scene.scratch().join("bent");
    let mut command = scene.worker(&["daemon"]);
    command.env("LD_PRELOAD", library).env("BENT_BY", &bent_by);
    let shop = Shop::with(
        Daemon::start(command),
        scene,
        r#"
        [defaults]
        start = "on-demand"
        command = ["sleep", "1000"]
        [slots.idle]
        idle = "30m"
        [slots.crash]
        command = ["false"]
        restart = { backoff = "30m", backoff_max = "30m", max_failures = 2, window = "2h" }
        [slots.other]
        "#,
    );
    let first = shop.start("idle").unwrap();
    shop.start_no_wait("crash");
    let crashed = shop.await_state("crash", State::Restarting);
    let next = |slot: &str| shop.slot(slot).next.unwrap().at.unwrap();
    let before = [next("idle"), next("crash")];
    for (seconds, is_back) in [("-3600", true), ("7200", false)] {
        std::fs::write(&bent_by, seconds).unwrap();
        let after = [next("idle"), next("crash")];
        assert_eq!(after < before, is_back, "the clock is bent: {before:?} {after:?}");
        shop.start("other").unwrap();
        shop.stop("other");
        let (idle, crash) = (shop.slot("idle"), shop.slot("crash"));
        assert_eq!((idle.state, idle.pid, idle.run), (State::Running, first.pid, 1));
        assert_eq!((crash.state, crash.run, crash.streak), (State::Restarting, crashed.run, 1));
    }
}
