//! Where the socket is, and who may come near it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

use worker_cli::client::{Client, block_on};
use worker_cli::error::Code;
use worker_cli::state_dir::StateArgs;

use crate::common::{Daemon, Scene, finish, listens, place};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn the_socket_and_its_folder_are_for_their_user_alone() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    assert_eq!(mode(&scene.run_dir()), 0o700);
    assert_eq!(mode(&scene.socket()), 0o600);
    assert_eq!(mode(&scene.state_dir()), 0o700);
}

#[test]
fn a_folder_that_is_open_to_others_is_refused_by_both_sides() {
    let scene = Scene::new();
    fs::create_dir_all(scene.run_dir()).unwrap();
    fs::set_permissions(scene.run_dir(), Permissions::from_mode(0o755)).unwrap();
    let refused = finish(scene.worker(&["daemon"]));
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    let mend = format!("hint: chmod 700 {}", scene.run_dir().display());
    assert!(refused.stderr.contains("open to others (mode 0755)"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&mend), "{}", refused.stderr);
    let failure = block_on(scene.client().slots(None)).unwrap_err();
    assert_eq!(failure.code, Code::NoDaemon);
    assert!(failure.to_string().contains(&mend), "{failure}");
    assert_eq!(mode(&scene.run_dir()), 0o755, "left alone");
}

#[test]
fn a_stale_socket_is_replaced() {
    let scene = Scene::new();
    fs::create_dir_all(scene.run_dir()).unwrap();
    fs::set_permissions(scene.run_dir(), Permissions::from_mode(0o700)).unwrap();
    drop(UnixListener::bind(scene.socket()).unwrap());
    let _daemon = scene.daemon();
    assert_eq!(scene.get("/healthz").status, 200);
}

#[test]
fn a_socket_that_another_daemon_listens_at_is_left_alone() {
    let scene = Scene::new();
    let runtime_dir = scene.scratch().join("runtime");
    let daemon = |home: &str| {
        let mut command = scene.worker(&["daemon"]);
        command.env("HOME", scene.scratch().join(home)).env("XDG_RUNTIME_DIR", &runtime_dir);
        command.env_remove("WORKER_STATE_DIR");
        command
    };
    let first = Daemon::start(daemon("a"));
    let second = finish(daemon("b"));
    assert_eq!(second.code, Some(1));
    let words = "a daemon of another state folder listens here already";
    assert!(second.stderr.contains(words), "{}", second.stderr);
    assert!(runtime_dir.join("worker/worker.sock").exists());
    drop(first);
    Daemon::start(daemon("b"));
}

#[test]
fn a_state_folder_may_have_a_longer_path_than_a_socket() {
    let scene = Scene::new();
    let state_dir = scene.scratch().join("long".repeat(40));
    let mut command = scene.worker(&["daemon", "--state-dir"]);
    command.arg(&state_dir);
    let daemon = Daemon::start(command);
    assert!(listens(&place(&state_dir)));
    let client = Client::new(&StateArgs { state_dir: Some(state_dir.clone()) }).unwrap();
    let health = block_on(client.without_start().health()).unwrap();
    assert_eq!(health.v, 1);
    block_on(client_of(&state_dir).shutdown()).unwrap();
    assert_eq!(daemon.finish().0, Some(0));
    assert!(!state_dir.join("run/worker.sock").exists());
}

fn client_of(state_dir: &Path) -> Client {
    Client::new(&StateArgs { state_dir: Some(state_dir.to_owned()) }).unwrap()
}
