//! The log of one slot.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::lines::Origin;
use super::query::Query;
use super::record::{Line, Record, Stream};
use super::records::Records;
use super::segment;
use super::stream::{Follow, LogStream};
use super::writer::{LogHealth, Writer};

/// The log of one slot. Clones are the same log. There must be no other writer of its folder.
#[derive(Clone, Debug)]
pub struct SlotLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: Arc<Path>,
    cap: u64,
    /// Locked while the disk is written to. None until there is output, of which most slots of a
    /// daemon may have none.
    writer: Mutex<Option<Box<Writer>>>,
    /// Never locked for longer than it takes to look.
    seen: Mutex<Seen>,
    grown: Notify,
}

/// What everybody may know at any time.
#[derive(Debug, Default)]
struct Seen {
    /// The position behind the last frame; none before the first one of this writer.
    end: Option<u64>,
    health: LogHealth,
}

impl SlotLog {
    /// The log in this folder, which may take `cap` bytes there. Touches nothing yet: folder and
    /// files are made when there is output.
    #[must_use]
    pub fn new(folder: &Path, cap: u64) -> Self {
        let (writer, seen) = (Mutex::default(), Mutex::default());
        let shared = Shared { folder: folder.into(), cap, writer, seen, grown: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Arc<Path> {
        &self.shared.folder
    }

    /// Adds output of a run, as if it had been read now. Waits for the disk. What cannot be written
    /// is counted as dropped, and marked when that is possible.
    pub fn append(&self, run: u64, stream: Stream, bytes: &[u8]) {
        let origin = Origin { run, stream };
        self.write(|writer| writer.append(origin, Timestamp::now(), bytes));
    }

    /// Notes that a run writes no more to a stream: what it wrote last is a line, newline or not.
    pub(super) fn end_stream(&self, run: u64, stream: Stream) {
        let origin = Origin { run, stream };
        if self.writer().is_some() {
            self.write(|writer| writer.end_stream(origin, Timestamp::now()));
        }
    }

    /// Closes the file until there is output again.
    pub(super) fn rest(&self) {
        if let Some(writer) = &mut *self.writer() {
            writer.rest();
        }
    }

    /// Whether it can be written. Does not wait for the disk.
    #[must_use]
    pub fn health(&self) -> LogHealth {
        self.seen().health.clone()
    }

    /// The lines and marks that are there now. Waits for the disk, as reading from it does.
    ///
    /// # Errors
    ///
    /// If the log cannot be read. One that is not there has no lines.
    pub fn records(&self, query: &Query) -> io::Result<Records> {
        Records::open(self, query, Follow::No)
    }

    /// The lines and marks that are there now and, if that is wanted, those to come.
    #[must_use]
    pub fn stream(&self, query: Query, follow: Follow) -> LogStream {
        LogStream::new(self.clone(), query, follow)
    }

    /// The last lines of a run, for a message. Waits for the disk.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn tail(&self, run: u64, lines: usize) -> io::Result<Vec<Line>> {
        self.tail_from(None, run, lines)
    }

    /// The same for a run that has written nothing before a position.
    pub(super) fn tail_from(
        &self,
        from: Option<u64>,
        run: u64,
        lines: usize,
    ) -> io::Result<Vec<Line>> {
        let query = Query { run: Some(run), last: Some(lines), from, ..Query::default() };
        let mut tail = Vec::new();
        for record in self.records(&query)? {
            if let Record::Line(line) = record? {
                tail.push(line);
            }
        }
        Ok(tail)
    }

    /// The position up to which everything is written.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub(super) fn end(&self) -> io::Result<u64> {
        if let Some(end) = self.seen().end {
            return Ok(end);
        }
        let on_disk = segment::list(self.folder())?.last().map_or(0, |last| last.end());
        // If still nothing was written, what we saw on disk is all there is.
        Ok(self.seen().end.unwrap_or(on_disk))
    }

    /// Told whenever there is more.
    pub(super) fn grown(&self) -> &Notify {
        &self.shared.grown
    }

    fn write(&self, write: impl FnOnce(&mut Writer) -> io::Result<()>) {
        let mut locked = self.writer();
        let Shared { folder, cap, .. } = &*self.shared;
        let writer = locked.get_or_insert_with(|| Box::new(Writer::new(Arc::clone(folder), *cap)));
        // What went wrong is part of the writer's health.
        let _ = write(writer);
        *self.seen() = Seen { end: writer.end(), health: writer.health() };
        drop(locked);
        self.shared.grown.notify_waiters();
    }

    fn writer(&self) -> MutexGuard<'_, Option<Box<Writer>>> {
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
