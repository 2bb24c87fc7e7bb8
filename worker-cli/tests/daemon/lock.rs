//! One daemon per state folder.

use crate::common::{Scene, eventually, finish, send_signal};

#[test]
fn a_second_daemon_says_which_one_runs() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let second = finish(scene.worker(&["daemon"]));
    assert_eq!(second.code, Some(1));
    let words = format!("a daemon runs already (pid {}, version ", daemon.supervisor());
    assert!(second.stderr.contains(&words), "{}", second.stderr);
    assert_eq!(scene.pid(), i64::from(daemon.supervisor()));
}

#[test]
fn a_second_daemon_says_so_in_json() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let second = finish(scene.worker(&["daemon", "--json"]));
    let error: serde_json::Value = serde_json::from_str(second.stderr.trim()).unwrap();
    assert_eq!((second.code, &error["error"]["code"]), (Some(1), &"failed".into()));
    assert_eq!(second.stdout, "");
}

#[test]
fn the_lock_and_the_socket_of_a_killed_daemon_are_taken_over() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let killed = daemon.supervisor();
    send_signal(killed, "KILL");
    let (code, _) = daemon.finish();
    assert_eq!(code, Some(128 + 9));
    assert!(scene.socket().exists(), "nobody was there to remove it");
    let daemon = scene.daemon();
    assert_eq!(scene.pid(), i64::from(daemon.supervisor()));
}

#[test]
fn a_daemon_that_was_killed_with_its_guardian_is_taken_over() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let supervisor = daemon.supervisor();
    send_signal(daemon.guardian(), "STOP");
    send_signal(supervisor, "KILL");
    send_signal(daemon.guardian(), "KILL");
    daemon.finish();
    let socket = scene.socket();
    eventually("its end", || std::os::unix::net::UnixStream::connect(&socket).is_err());
    let _daemon = scene.daemon();
    assert_eq!(scene.get("/healthz").status, 200);
}
