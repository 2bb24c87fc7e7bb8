//! A disk that is full.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::*;

const MARK: &str = "bytes dropped: they could not be written";

#[test]
fn what_cannot_be_written_is_counted_and_marked_when_it_can_be() {
    let scene = scene();
    fs::create_dir(scene.path()).unwrap();
    let first = segment::path(&scene.path(), 0);
    symlink("/dev/full", &first).unwrap();
    scene.log.append(1, Stream::Stdout, b"lost\nlo");
    scene.log.append(1, Stream::Stderr, b"lost\n");
    let health = scene.log.health();
    assert_eq!(health.dropped, 12);
    let error = health.error.unwrap();
    assert!(error.contains("No space left on device"), "{error}");

    fs::remove_file(&first).unwrap();
    scene.log.rest();
    scene.log.append(1, Stream::Stdout, b"st\nfound\n");
    assert_eq!(scene.log.health(), LogHealth { dropped: 12, error: None });
    let mark = format!("-- 12 {MARK}");
    assert_eq!(all(&scene.log), [mark.as_str(), "1 stdout: st", "1 stdout: found"]);
    let other_run = Query { run: Some(2), ..Query::default() };
    assert_eq!(read(&scene.log, &other_run), [] as [&str; 0]);
}

#[test]
fn on_a_full_disk_nothing_is_half_written_and_it_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let log = SlotLog::new(&disk.path().join("log"), DEFAULT_CAP);
    log.append(1, Stream::Stdout, b"before ");
    let ballast = disk.path().join("ballast");
    let _ = fs::write(&ballast, vec![0; 2 * Disk::SIZE]);
    let large = vec![b'x'; Disk::SIZE];
    (0..2).for_each(|_| log.append(1, Stream::Stdout, &large));
    assert_eq!(all(&log), ["1 stdout: before ∎"]);
    assert_eq!(all(&SlotLog::new(log.folder(), DEFAULT_CAP)), ["1 stdout: before ∎"]);
    assert!(log.health().error.is_some());

    fs::remove_file(&ballast).unwrap();
    log.append(1, Stream::Stdout, b"after\n");
    let dropped = log.health().dropped;
    assert_eq!(dropped, 2 * large.len() as u64);
    let mark = format!("-- {dropped} {MARK}");
    assert_eq!(all(&log), ["1 stdout: before ∎", &mark, "1 stdout: after"]);
}

/// A small disk of its own.
struct Disk {
    folder: TempDir,
}

impl Disk {
    const SIZE: usize = 1 << 20;

    /// Skips, and says so, where none can be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={}", Self::SIZE);
        let size = std::ffi::CString::new(size).unwrap();
        match mount("none", folder.path(), "tmpfs", MountFlags::empty(), size.as_c_str()) {
            Ok(()) => Some(Self { folder }),
            Err(error) => {
                eprintln!("skipped: no disk can be mounted here: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(self.path(), UnmountFlags::DETACH);
    }
}
