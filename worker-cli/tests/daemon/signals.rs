//! How a daemon ends.

use crate::common::{Scene, send_signal};

#[test]
fn a_signal_ends_the_daemon_in_order_and_its_socket_goes() {
    for signal in ["TERM", "INT", "HUP"] {
        let scene = Scene::new();
        let daemon = scene.daemon();
        send_signal(daemon.guardian(), signal);
        let (code, said) = daemon.finish();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("SIG{signal}: stopping all slots")), "{said}");
        assert!(!scene.socket().exists());
    }
}

#[test]
fn a_daemon_without_its_guardian_ends() {
    let scene = Scene::new();
    let mut daemon = scene.daemon();
    send_signal(daemon.guardian(), "KILL");
    daemon.await_line("its guardian process is gone: stopping in order");
    daemon.finish();
    assert!(!scene.socket().exists());
}

#[test]
fn whoever_has_the_answer_to_a_shutdown_does_not_meet_that_daemon_again() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    assert_eq!(scene.post("/v1/shutdown", "").status, 200);
    assert!(!scene.socket().exists());
    assert_eq!(daemon.finish().0, Some(0));
}

#[test]
fn ctrl_z_does_not_stop_a_daemon() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    send_signal(daemon.guardian(), "TSTP");
    assert_eq!(scene.get("/healthz").status, 200);
}
