//! Client and daemon of different versions.

use crate::common::Scene;

const OWN: &str = env!("CARGO_PKG_VERSION");
const HEADER: &str = "worker-version";

#[test]
fn a_client_of_another_version_is_told_what_to_do() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let ask = |path, version| scene.ask("GET", path, &[(HEADER, version)], b"");
    let reply = ask("/v1/slots", "9.9.9");
    reply.check_error(409, "other_version", &format!("version {OWN}, and its client is version 9"));
    assert!(reply.body.contains("worker down --all"), "{reply:?}");
    assert_eq!(reply.header(HEADER), Some(OWN));
    assert_eq!(ask("/v1/slots", OWN).status, 200);
    assert_eq!(ask("/healthz", "9.9.9").status, 200);
}

#[test]
fn a_client_that_does_not_say_its_version_is_served() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let reply = scene.get("/v1/slots");
    assert_eq!((reply.status, reply.header(HEADER)), (200, Some(OWN)));
}

#[test]
fn a_client_of_another_version_can_end_the_daemon() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let reply = scene.ask("POST", "/v1/shutdown", &[(HEADER, "9.9.9")], b"");
    assert_eq!((reply.status, reply.json()["v"].as_i64()), (200, Some(1)));
    assert_eq!(daemon.finish().0, Some(0));
}
