//! Why runs ended: kept for each slot in a file of its own, the latest ones.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use worker_core::{Event, Exit, StopReason};

use super::disk::{Disk, Target};
use super::folders;
use super::json_lines;
use crate::api::Death;
use crate::driver::Notice;
use crate::events::rfc3339;
use crate::processes;
use crate::run::why;

/// So many are shown.
const SHOWN: usize = 20;

/// A file of more bytes is written anew with those that are shown.
const LONGEST: u64 = 1 << 20;

const FILE: &str = "deaths.jsonl";

/// What is known of the end of a run before all of it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dying {
    exit: Option<Exit>,
    uptime_ms: Option<u64>,
    is_clean: bool,
    evidence: Vec<String>,
    output: Vec<String>,
}

impl Dying {
    /// Takes in what an event tells about the end of its run. Answers the death when all is known.
    ///
    /// `cause`: that of a failure in words.
    pub(super) fn hear(
        &mut self,
        notice: &Notice,
        cause: Option<&str>,
        stopping: Option<StopReason>,
    ) -> Option<Death> {
        let (cause, failure) = match notice.event {
            Event::Starting => {
                self.forget();
                return None;
            }
            Event::Exited { exit, clean, uptime } => {
                self.exit = Some(exit);
                self.is_clean = clean;
                self.uptime_ms = u64::try_from(uptime.as_millis()).ok();
                return None;
            }
            Event::TreeGone { killed, left } => {
                self.note_tree(killed, left);
                return None;
            }
            Event::Restarting { .. } | Event::Error(_) => (cause?.to_owned(), true),
            Event::Failed(parked) => (why(notice, parked.last), true),
            Event::Stopped if self.exit.is_some() => (self.end_in_words(stopping), false),
            Event::Spawned { .. }
            | Event::Ready { .. }
            | Event::Stopping(_)
            | Event::Stopped
            | Event::Reset
            | Event::Unkillable => return None,
        };
        Some(self.complete(notice, cause, failure))
    }

    /// Another run begins, of which nothing is known yet.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The last lines of its output, of which it knows until [`forget`](Self::forget).
    pub(super) fn output(&self) -> &[String] {
        &self.output
    }

    /// The last lines of its output.
    pub(super) fn hear_output(&mut self, lines: Vec<String>) {
        self.output = lines;
    }

    /// The last line of its output that says something.
    pub(super) fn last_word(&self) -> Option<&str> {
        self.output.iter().map(|line| line.trim()).rfind(|line| !line.is_empty())
    }

    /// The kernel ended so many of its processes for want of memory.
    pub(super) fn note_out_of_memory(&mut self, killed: u64) {
        let killed = processes::count(usize::try_from(killed).unwrap_or(usize::MAX));
        self.note(format!("the kernel ended {killed} of it because memory ran out"));
    }

    fn note(&mut self, sentence: String) {
        self.evidence.push(sentence);
    }

    fn note_tree(&mut self, killed: u32, left: u32) {
        let processes = |count| processes::count(usize::try_from(count).unwrap_or(usize::MAX));
        if killed > 0 {
            self.note(format!("SIGKILL ended {} of its tree", processes(killed)));
        }
        if left > 0 {
            self.note(format!("it left {} running", processes(left)));
        }
    }

    fn end_in_words(&self, stopping: Option<StopReason>) -> String {
        match stopping {
            Some(StopReason::Request) => "stopped on request",
            Some(StopReason::Idle) => "stopped because it was idle",
            Some(StopReason::Eviction) => "stopped to make room",
            Some(StopReason::Shutdown) => "stopped with the daemon",
            Some(StopReason::Ended | StopReason::Failure(_) | StopReason::FailedStart(_))
            | None
                if self.is_clean =>
            {
                "it ended by itself, cleanly"
            }
            Some(StopReason::Ended | StopReason::Failure(_) | StopReason::FailedStart(_))
            | None => "it ended, and is not restarted",
        }
        .to_owned()
    }

    fn complete(&mut self, notice: &Notice, cause: String, failure: bool) -> Death {
        // The output is still asked for until another run begins.
        let rest = Self { output: self.output.clone(), ..Self::default() };
        let Self { exit, uptime_ms, evidence, output, .. } = std::mem::replace(self, rest);
        let (code, signal) = match exit {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal.to_string())),
            Some(Exit::Unknown) | None => (None, None),
        };
        Death {
            run: notice.run.map_or(0, |run| run.number),
            time: rfc3339(notice.time),
            cause,
            code,
            signal,
            failure,
            uptime_ms,
            evidence,
            output,
        }
    }
}

/// What a daemon that was killed leaves: nobody saw how the run ended.
pub(super) fn unseen(run: u64) -> Death {
    Death {
        run,
        time: rfc3339(Timestamp::now()),
        cause: "the daemon was killed, and what it ran was ended".to_owned(),
        code: None,
        signal: None,
        failure: false,
        uptime_ms: None,
        evidence: Vec::new(),
        output: Vec::new(),
    }
}

/// Has a death added to those of the slot.
pub(super) fn keep(disk: &Disk, state_dir: &Path, slot: &Arc<str>, death: &Death) {
    let (folder, name) = (folders::slot(state_dir, slot), Arc::clone(slot));
    let deaths = Target::new(move |line| {
        add(&folder, line).unwrap_or_else(|error| complain(&name, &error));
    });
    let given = disk.write(&deaths, |into| json_lines::put([death], into));
    given.unwrap_or_else(|error| complain(slot, &error));
}

fn complain(slot: &str, error: &io::Error) {
    tracing::warn!("why {slot} ended cannot be noted: {error}");
}

fn add(folder: &Path, line: &[u8]) -> io::Result<()> {
    let path = folder.join(FILE);
    let mut file = match open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            open(&path)?
        }
        opened => opened?,
    };
    if file.metadata()?.len() > LONGEST {
        shorten(&path)?;
        file = open(&path)?;
    }
    append(&file, line)
}

/// All of it or nothing. What somebody was killed over is a line of its own.
fn append(mut file: &File, line: &[u8]) -> io::Result<()> {
    let end = file.metadata()?.len();
    let mut last = *b"\n";
    if let Some(before) = end.checked_sub(1) {
        file.read_exact_at(&mut last, before)?;
    }
    let separator: &[u8] = if last == *b"\n" { b"" } else { b"\n" };
    file.write_all(&[separator, line].concat()).inspect_err(|_| {
        // What was written of it goes; if that fails too, it costs only itself.
        let _ = file.set_len(end);
    })
}

fn shorten(path: &Path) -> io::Result<()> {
    let new = path.with_extension("new");
    let known = lines(path)?;
    let latest = &known[known.len().saturating_sub(SHOWN)..];
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&latest.concat())?;
    std::fs::rename(new, path)
}

/// The latest deaths, the newest first. What cannot be read is left out.
pub(super) fn latest(folder: &Path) -> Vec<Death> {
    let lines = lines(&folder.join(FILE)).unwrap_or_default();
    let deaths = lines.iter().rev().filter_map(|line| serde_json::from_slice(line).ok());
    deaths.take(SHOWN).collect()
}

/// Each with its end.
fn lines(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(text) => Ok(text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn in_text(death: &Death) -> Vec<u8> {
        let mut text = Vec::new();
        json_lines::put([death], &mut text).unwrap();
        text
    }

    #[test]
    fn the_latest_deaths_are_kept_and_the_newest_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cause = "x".repeat(100_000);
        for run in 1..=30 {
            let death = Death { cause: cause.clone(), ..unseen(run) };
            add(folder.path(), &in_text(&death)).unwrap();
        }
        let runs: Vec<u64> = latest(folder.path()).iter().map(|death| death.run).collect();
        assert_eq!(runs, (11..=30).rev().collect::<Vec<_>>());
        assert!(lines(&folder.path().join(FILE)).unwrap().len() < 30);
        let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "output may be secret");
    }

    #[test]
    fn a_folder_that_is_made_for_them_is_for_the_user_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("shop/api");
        add(&folder, &in_text(&unseen(1))).unwrap();
        for folder in [folder.as_path(), folder.parent().unwrap()] {
            assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_torn_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        add(folder.path(), &in_text(&unseen(1))).unwrap();
        open(&folder.path().join(FILE)).unwrap().write_all(b"{\"run\":2,").unwrap();
        assert_eq!(latest(folder.path()).len(), 1);
        add(folder.path(), &in_text(&unseen(3))).unwrap();
        assert_eq!(latest(folder.path()).len(), 2);
    }
}
