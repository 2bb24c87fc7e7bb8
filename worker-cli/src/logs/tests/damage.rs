//! Files that are not as they were written.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use super::*;

/// Two lines of two runs, the second one torn by so many bytes.
fn torn(bytes: u64) -> Scene {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"one\n");
    scene.log.append(2, Stream::Stdout, b"0123456789");
    let file = OpenOptions::new().write(true).open(scene.latest()).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
    scene
}

#[test]
fn what_is_there_of_a_torn_frame_is_shown_and_the_rest_is_marked() {
    let scene = torn(4);
    let expected = ["1 stdout: one", "2 stdout: 012345∎", "-- 4 bytes of the log cannot be read"];
    assert_eq!(all(&scene.reopen()), expected);

    let next = scene.reopen();
    next.append(3, Stream::Stdout, b"three\n");
    assert_eq!(scene.segments().len(), 2, "nothing is put behind it");
    let mut expected = expected.to_vec();
    expected.push("3 stdout: three");
    assert_eq!(all(&next), expected);
}

#[test]
fn a_torn_header_is_skipped() {
    let scene = torn(14);
    let next = scene.reopen();
    next.append(3, Stream::Stdout, b"three\n");
    let mark = "-- 20 bytes of the log cannot be read";
    assert_eq!(all(&next), ["1 stdout: one", mark, "3 stdout: three"]);
}

#[test]
fn zeros_at_the_end_as_a_loss_of_power_leaves_them_are_skipped() {
    let scene = torn(0);
    let file = OpenOptions::new().write(true).open(scene.latest()).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length + 1000).unwrap();
    let next = scene.reopen();
    next.append(3, Stream::Stdout, b"three\n");
    let mark = "-- 1000 bytes of the log cannot be read";
    assert_eq!(all(&next), ["1 stdout: one", "2 stdout: 0123456789∎", mark, "3 stdout: three"]);
}

#[test]
fn a_file_of_another_version_is_left_alone_and_skipped() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"one\n");
    let other = scene.latest();
    let mut bytes = fs::read(&other).unwrap();
    bytes[7] = 2;
    fs::write(&other, &bytes).unwrap();
    let next = scene.reopen();
    next.append(2, Stream::Stdout, b"two\n");
    let mark = format!("-- {} bytes of the log cannot be read", bytes.len());
    assert_eq!(all(&next), [mark.as_str(), "2 stdout: two"]);
    assert_eq!(fs::read(&other).unwrap(), bytes);
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let scene = scene_with_cap(1);
    scene.log.append(1, Stream::Stdout, b"one\n");
    let names = ["7.log", "0000000000000000000x.log", "notes.txt", "99999999999999999999.log"];
    names.iter().for_each(|name| fs::write(scene.path().join(name), "x").unwrap());
    (0..100).for_each(|_| scene.log.append(1, Stream::Stdout, &[b'\n'; 10_000]));
    assert!(names.iter().all(|name| scene.path().join(name).exists()));
}

#[test]
fn a_damaged_frame_in_the_middle_costs_the_rest_of_its_file() {
    let scene = scene();
    (0..3).for_each(|run| scene.log.append(run, Stream::Stdout, b"x\n"));
    let file = OpenOptions::new().write(true).open(scene.latest()).unwrap();
    file.write_all_at(b"?", 8 + 24 + 26).unwrap();
    let expected = ["0 stdout: x", "-- 52 bytes of the log cannot be read"];
    assert_eq!(all(&scene.log), expected);
}
