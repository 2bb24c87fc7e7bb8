//! What holds for the whole: what goes into a log comes out of it.

mod capturing;
mod reading;

use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A log in a folder of its own.
struct Scene {
    folder: TempDir,
    log: SlotLog,
}

fn scene() -> Scene {
    scene_with_cap(DEFAULT_CAP)
}

fn scene_with_cap(cap: u64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let log = SlotLog::new(&folder.path().join("log"), cap);
    Scene { folder, log }
}

impl Scene {
    /// As the next daemon sees it.
    fn reopen(&self) -> SlotLog {
        SlotLog::new(&self.path(), DEFAULT_CAP)
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }
}

/// The sizes of the files of a log, oldest first.
fn sizes(folder: &Path) -> Vec<u64> {
    segment::list(folder).unwrap().into_iter().map(|segment| segment.length).collect()
}

fn read(log: &SlotLog, query: &Query) -> Vec<String> {
    log.records(query).unwrap().map(|record| text(&record.unwrap())).collect()
}

fn all(log: &SlotLog) -> Vec<String> {
    read(log, &Query::default())
}

/// `1 stdout: hello`, with a sign behind what does not end with a newline.
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
