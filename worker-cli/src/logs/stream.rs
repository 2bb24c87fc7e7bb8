//! Reads a log without holding up whoever asks, and follows it.

use std::io;

use tokio::task::{JoinHandle, spawn_blocking};

use super::query::Query;
use super::record::Record;
use super::records::Records;
use super::slot_log::SlotLog;

/// So many records are read at once …
const RECORDS: usize = 1024;
/// … unless their bytes are more than this.
const BYTES: usize = 256 * 1024;

/// Whether a reader waits for what is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It ends where the log ends now.
    No,
    /// It goes on, and never ends. A line is there when it is complete.
    Yes,
}

/// Lines and marks of a log, a batch at a time. It reads from disk, on tokio's threads for what blocks,
/// and only when it is asked: whoever is slow costs the writer nothing.
#[derive(Debug)]
pub struct LogStream {
    log: SlotLog,
    follow: Follow,
    state: State,
}

#[derive(Debug)]
enum State {
    New(Query),
    Open(Box<Records>),
    /// Somewhere else, so that a call that is given up loses nothing.
    Reading(JoinHandle<io::Result<(Box<Records>, Vec<Record>)>>),
    /// After an error.
    Over,
}

impl LogStream {
    pub(super) const fn new(log: SlotLog, query: Query, follow: Follow) -> Self {
        Self { log, follow, state: State::New(query) }
    }

    /// The next records, at least one. None at the end. Cancel safe.
    ///
    /// # Errors
    ///
    /// If the log cannot be read. There is nothing after that.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> io::Result<Option<Vec<Record>>> {
        loop {
            let batch = self.read().await?;
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
            if !self.can_grow() {
                return Ok(None);
            }
            self.grown().await?;
        }
    }

    /// Whether there can be records after all that are there now.
    pub(super) fn can_grow(&self) -> bool {
        self.follow == Follow::Yes && !matches!(self.state, State::Over)
    }

    /// Some of those that are there now; empty if there are none. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub async fn read(&mut self) -> io::Result<Vec<Record>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::New(query) => {
                    self.start(move |log, follow| Records::open(log, &query, follow))
                }
                State::Open(records) => self.start(|_, _| Ok(*records)),
                State::Over => return Ok(Vec::new()),
                reading @ State::Reading(_) => {
                    self.state = reading;
                    return self.finish().await;
                }
            }
        }
    }

    /// Waits until there is more than was read. Cancel safe.
    pub(super) async fn grown(&self) -> io::Result<()> {
        let State::Open(records) = &self.state else { return Ok(()) };
        loop {
            let mut grown = std::pin::pin!(self.log.grown().notified());
            grown.as_mut().enable();
            if self.log.end()? > records.end() {
                return Ok(());
            }
            grown.await;
        }
    }

    fn start(
        &mut self,
        open: impl FnOnce(&SlotLog, Follow) -> io::Result<Records> + Send + 'static,
    ) {
        let (log, follow) = (self.log.clone(), self.follow);
        self.state = State::Reading(spawn_blocking(move || {
            let mut records = open(&log, follow)?;
            if follow == Follow::Yes {
                records.extend(log.end()?);
            }
            let batch = read_batch(&mut records)?;
            Ok((Box::new(records), batch))
        }));
    }

    async fn finish(&mut self) -> io::Result<Vec<Record>> {
        let State::Reading(reading) = &mut self.state else { return Ok(Vec::new()) };
        let read = reading.await.map_err(io::Error::other).flatten();
        self.state = State::Over;
        let (records, batch) = read?;
        self.state = State::Open(records);
        Ok(batch)
    }
}

fn read_batch(records: &mut Records) -> io::Result<Vec<Record>> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < RECORDS && bytes < BYTES {
        let Some(record) = records.read()? else { break };
        if let Record::Line(line) = &record {
            bytes += line.bytes.len();
        }
        batch.push(record);
    }
    Ok(batch)
}
