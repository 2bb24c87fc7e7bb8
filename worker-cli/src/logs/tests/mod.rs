//! What holds for the whole: what goes into a log comes out of it.

mod capturing;
mod damage;
mod following;
#[cfg(target_os = "linux")]
mod full_disk;
mod properties;
mod reading;
mod rotation;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A log in a folder of its own.
struct Scene {
    folder: TempDir,
    cap: u64,
    log: SlotLog,
}

fn scene() -> Scene {
    scene_with_cap(DEFAULT_CAP)
}

fn scene_with_cap(cap: u64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let log = SlotLog::new(&folder.path().join("log"), cap);
    Scene { folder, cap, log }
}

impl Scene {
    /// As the next daemon sees it.
    fn reopen(&self) -> SlotLog {
        SlotLog::new(&self.path(), DEFAULT_CAP)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Its files, oldest first.
    fn segments(&self) -> Vec<segment::Segment> {
        segment::list(&self.path()).unwrap()
    }

    fn size(&self) -> u64 {
        self.segments().iter().map(|segment| segment.length).sum()
    }

    /// Its latest file.
    fn latest(&self) -> PathBuf {
        segment::path(&self.path(), self.segments().last().unwrap().base)
    }
}

fn read(log: &SlotLog, query: &Query) -> Vec<String> {
    log.records(query).unwrap().map(|record| text(&record.unwrap())).collect()
}

fn all(log: &SlotLog) -> Vec<String> {
    read(log, &Query::default())
}

/// `1 stdout: hello`, with a sign before what has no beginning and behind what has no end.
fn text(record: &Record) -> String {
    match record {
        Record::Line(Line { run, stream, bytes, end, headless, .. }) => {
            let head = if *headless { "…" } else { "" };
            let end = match end {
                LineEnd::Newline => "",
                LineEnd::Cut => "✂",
                LineEnd::Output => "∎",
            };
            let bytes = String::from_utf8_lossy(bytes);
            format!("{run} {}: {head}{bytes}{end}", stream.name())
        }
        Record::Mark(Mark { kind, .. }) => format!("-- {kind}"),
    }
}
