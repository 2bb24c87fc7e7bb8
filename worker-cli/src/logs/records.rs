//! The lines and marks of a log, one after the other.

use std::io;
use std::sync::Arc;

use super::assembly::Assembly;
use super::frames::{Frames, Item};
use super::query::Query;
use super::record::{MarkKind, Record};
use super::slot_log::SlotLog;
use super::stream::Follow;

/// The lines and marks of a log, in the order in which they ended. Reads as it goes, and waits for the
/// disk. Memory does not grow with what is read.
#[derive(Debug)]
pub struct Records {
    frames: Frames,
    assembly: Assembly,
    follow: Follow,
    /// So many lines are left out.
    skip: usize,
    /// Read up to here.
    end: u64,
}

impl Records {
    pub(super) fn open(log: &SlotLog, query: &Query, follow: Follow) -> io::Result<Self> {
        let end = log.end()?;
        let mut enough = query.last.unwrap_or_default();
        loop {
            let start = query.start(log.folder(), end, enough)?;
            let new = || Self {
                frames: Frames::new(Arc::clone(log.folder()), start.position),
                assembly: Assembly::new(query.clone()),
                follow,
                skip: 0,
                end,
            };
            let Some(last) = query.last else { return Ok(new()) };
            let count = new().count()?;
            if !start.has_more_before || count.has_whole(last) {
                return Ok(Self { skip: count.lines.saturating_sub(last), ..new() });
            }
            enough = enough.saturating_mul(2).saturating_add(16);
        }
    }

    /// Everything before this position was read, once there is no more.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Goes on up to this position. What was read before is not read again.
    pub(super) fn extend(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub(super) fn read(&mut self) -> io::Result<Option<Record>> {
        loop {
            match self.assembly.pop() {
                Some(record) if self.skip == 0 => return Ok(Some(record)),
                Some(record) => self.skip -= usize::from(matches!(record, Record::Line(_))),
                None => {
                    if !self.step()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads one thing more; false if there was no more to find.
    fn step(&mut self) -> io::Result<bool> {
        match self.frames.next(self.end)? {
            Some(Item::Frame { header, bytes, torn }) => self.assembly.frame(header, bytes, torn),
            Some(Item::Gone(bytes)) => self.assembly.missing(MarkKind::Gone { bytes }),
            Some(Item::Damaged(bytes)) => self.assembly.missing(MarkKind::Damaged { bytes }),
            None => return Ok(self.follow == Follow::No && self.assembly.finish()),
        }
        Ok(true)
    }

    fn count(mut self) -> io::Result<Count> {
        let mut count = Count { lines: 0, headless: 0 };
        while let Some(record) = self.read()? {
            if let Record::Line(line) = record {
                count.lines += 1;
                if line.headless {
                    count.headless = count.lines;
                }
            }
        }
        Ok(count)
    }
}

struct Count {
    lines: usize,
    /// The number of the last line whose beginning was not there, counted from 1.
    headless: usize,
}

impl Count {
    /// Whether the last ones are there with their beginnings.
    const fn has_whole(&self, last: usize) -> bool {
        self.headless.saturating_add(last) <= self.lines
    }
}

/// Ends at the end of the log. Whoever goes on after an error meets it again.
impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
