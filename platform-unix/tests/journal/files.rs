//! What becomes of the files.

use std::os::unix::fs::PermissionsExt;

use worker_platform_unix::journal::{Finding, survey};

use crate::scene::{Dead, Scene, Tree};

#[track_caller]
fn check_put_aside(findings: &[Finding], newer: bool, text: &str) {
    match findings {
        [Finding::PutAside { path, newer: said }] => {
            assert_eq!(*said, newer);
            assert_eq!(std::fs::read_to_string(path).unwrap(), text, "nothing of it is lost");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_journal_is_put_aside() {
    let scene = Scene::new();
    for count in 1..=3 {
        let journal = scene.leave_text(7, "worker jour");
        check_put_aside(&scene.start(), false, "worker jour");
        assert!(!journal.exists());
        assert_eq!(
            survey(&scene.folder()).unwrap().put_aside.len(),
            count,
            "none replaces another"
        );
    }
}

#[test]
fn a_journal_of_a_later_version_is_put_aside() {
    let scene = Scene::new();
    let text = Dead::new(21).text().replace("journal 1", "journal 2");
    scene.leave_text(7, &text);
    check_put_aside(&scene.start(), true, &text);
}

#[test]
fn a_journal_that_is_damaged_in_part_is_used_and_put_aside() {
    let scene = Scene::new();
    let tree = Tree::grown(None, "up leader sleep", 1);
    let dead = Dead::new(22).with("process 12").with_process(tree.leader).with("prozess 1 2");
    scene.leave(&dead);
    let mut findings = scene.start();
    assert!(matches!(findings.remove(0), Finding::Ended { killed: 1, .. }));
    check_put_aside(&findings, false, &dead.text());
    tree.check_gone();
}

#[test]
fn a_journal_that_was_not_begun_is_removed() {
    let scene = Scene::new();
    let journal = scene.leave_text(7, "");
    assert!(scene.start().is_empty());
    assert!(!journal.exists());
}

#[test]
fn a_folder_that_others_can_read_is_closed_to_them() {
    let scene = Scene::new();
    std::fs::create_dir(scene.folder()).unwrap();
    std::fs::set_permissions(scene.folder(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(scene.start().is_empty()); // Checks the mode, too.
}

#[test]
fn a_missing_folder_has_nothing_in_it_and_stays_missing() {
    let scene = Scene::new();
    assert_eq!(survey(&scene.folder()).unwrap(), worker_platform_unix::journal::Survey::default());
    assert!(!scene.folder().exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_says_why() {
    let scene = Scene::new();
    std::fs::write(scene.folder(), "a file").unwrap();
    let error = worker_platform_unix::journal::start(&scene.folder()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{error}");
}
