//! `worker daemon install`, and what a service manager hears.

#[cfg(target_os = "linux")]
use std::fs;
use std::os::unix::net::UnixDatagram;

#[cfg(target_os = "linux")]
use crate::common::finish;
use crate::common::{Daemon, Scene};

#[cfg(target_os = "linux")]
#[test]
fn a_unit_is_written_and_nothing_is_started() {
    let scene = Scene::new();
    let printed = finish(scene.worker(&["daemon", "install", "--print"]));
    assert_eq!(printed.code, Some(0));
    let unit = scene.scratch().join(".config/systemd/user/worker.service");
    assert!(!unit.exists());
    for _ in 0..2 {
        let installed = finish(scene.worker(&["daemon", "install"]));
        assert_eq!(installed.code, Some(0), "{}", installed.stderr);
        assert!(installed.stdout.contains("systemctl --user enable --now worker.service"));
        assert_eq!(fs::read_to_string(&unit).unwrap(), printed.stdout);
    }
    let state_dir = scene.state_dir();
    let line = format!("\" \"daemon\" \"--state-dir\" \"{}\"", state_dir.display());
    assert!(printed.stdout.contains(&line), "{}", printed.stdout);
    assert!(!state_dir.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_unit_that_somebody_else_wrote_is_left_alone() {
    let scene = Scene::new();
    let unit = scene.scratch().join(".config/systemd/user/worker.service");
    fs::create_dir_all(unit.parent().unwrap()).unwrap();
    fs::write(&unit, "[Service]\n").unwrap();
    let refused = finish(scene.worker(&["daemon", "install"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("was not written by worker"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&unit).unwrap(), "[Service]\n");
}

#[test]
fn the_service_manager_hears_when_the_daemon_listens_and_when_it_ends() {
    let scene = Scene::new();
    let path = scene.scratch().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut command = scene.worker(&["daemon"]);
    command.env("NOTIFY_SOCKET", &path);
    let daemon = Daemon::start(command);
    let mut heard = [0; 64];
    let length = manager.recv(&mut heard).unwrap();
    assert_eq!(&heard[..length], b"READY=1");
    assert_eq!(scene.post("/v1/shutdown", "").status, 200);
    let length = manager.recv(&mut heard).unwrap();
    assert_eq!(&heard[..length], b"STOPPING=1");
    assert_eq!(daemon.finish().0, Some(0));
}
