//! `--events FILE`: where the events of a run are appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::session::Watcher;
use crate::events::EventLines;
use crate::outlet::Outlet;
use crate::voice::Voice;

/// How long the last events may take to be written.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// The place that was asked for, if one was.
pub(super) enum EventLog {
    None,
    Stderr(Voice),
    File(Outlet),
}

impl EventLog {
    /// Starts to write. Trouble with the file is told once, and stops nothing.
    ///
    /// # Errors
    ///
    /// If there is no room for the thread that writes.
    pub(super) fn open(path: Option<PathBuf>, voice: &Voice) -> io::Result<Self> {
        match path {
            None => Ok(Self::None),
            Some(path) if path.as_os_str() == "-" => Ok(Self::Stderr(voice.clone())),
            Some(path) => Self::append_to(path, voice.clone()),
        }
    }

    fn append_to(path: PathBuf, voice: Voice) -> io::Result<Self> {
        let shown = path.display().to_string();
        let complain = move |why: &str| {
            voice.warn(&format!("--events {shown}: {why}; events are lost, all else goes on"));
        };
        Outlet::start(AppendFile { path, file: None }, complain).map(Self::File)
    }

    /// Writes each event of the slot as a line.
    pub(super) fn watcher(&self, slot: String) -> Option<Watcher> {
        let mut lines = EventLines::default();
        match self {
            Self::None => None,
            Self::Stderr(voice) => {
                let voice = voice.clone();
                Some(Box::new(move |notice| voice.raw(lines.line(&slot, notice))))
            }
            Self::File(outlet) => {
                let outlet = outlet.clone();
                Some(Box::new(move |notice| outlet.line(lines.line(&slot, notice))))
            }
        }
    }

    /// Waits until everything is written, for a second at most.
    pub(super) fn finish(&self) {
        match self {
            Self::None | Self::Stderr(_) => {}
            Self::File(outlet) => outlet.flush(LAST_EVENTS),
        }
    }
}

/// A file that is opened when something is written, on the thread that writes: opening may wait,
/// as for a named pipe. A folder that is missing now may be there later.
struct AppendFile {
    path: PathBuf,
    file: Option<File>,
}

impl Write for AppendFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = Some(open(&self.path)?);
        }
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
