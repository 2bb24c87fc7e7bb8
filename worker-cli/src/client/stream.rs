//! Answers that come piece by piece.

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::connection::{Answer, lost};
use crate::error::Failure;

/// Lines of text, as they come.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    /// What has come.
    buffer: Vec<u8>,
    /// So much of it was given out.
    given: usize,
    /// So much of it holds no further end of a line.
    searched: usize,
}

/// Server-sent events, as they come.
#[derive(Debug)]
pub struct Events {
    lines: Lines,
    seq: u64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, from which a later request can go on.
    pub seq: u64,
    /// One line of JSON.
    pub line: String,
}

impl Lines {
    pub(super) fn of(answer: Answer) -> Self {
        Self { body: answer.into_body(), buffer: Vec::new(), given: 0, searched: 0 }
    }

    /// The next line without its end. None after the last. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon went away in between.
    pub async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(lost(&error)),
                Some(Ok(frame)) => self.add(&frame.into_data().unwrap_or_default()),
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.given);
        self.searched -= self.given;
        self.given = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn take(&mut self) -> Option<String> {
        let length = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(length) = length else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + length;
        let line = String::from_utf8_lossy(&self.buffer[self.given..end]).into_owned();
        self.given = end + 1;
        self.searched = self.given;
        Some(line)
    }
}

impl Events {
    pub(super) fn of(answer: Answer) -> Self {
        Self { lines: Lines::of(answer), seq: 0 }
    }

    /// The next event. None after the last. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon went away in between.
    pub async fn next(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(line) = self.lines.next().await? {
            if let Some(seq) = line.strip_prefix("id: ") {
                self.seq = seq.parse().unwrap_or(self.seq);
            } else if let Some(line) = line.strip_prefix("data: ") {
                return Ok(Some(Event { seq: self.seq, line: line.to_owned() }));
            }
        }
        Ok(None)
    }
}
