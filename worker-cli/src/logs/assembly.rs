//! Makes records of frames: those that a query wants.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::frame::{Header, Kind};
use super::lines::{Lines, Origin, Piece};
use super::query::Query;
use super::record::{Line, Mark, MarkKind, Record};

/// Between the frames that go in and the records that come out.
#[derive(Debug)]
pub(super) struct Assembly {
    lines: Lines,
    /// What is missing before the next frame, which knows the time.
    missing: Vec<MarkKind>,
    chosen: Chosen,
}

/// The records that the query wants, complete.
#[derive(Debug)]
struct Chosen {
    query: Query,
    records: VecDeque<Record>,
}

impl Assembly {
    pub(super) fn new(query: Query) -> Self {
        let chosen = Chosen { query, records: VecDeque::new() };
        Self { lines: Lines::default(), missing: Vec::new(), chosen }
    }

    pub(super) fn pop(&mut self) -> Option<Record> {
        self.chosen.records.pop_front()
    }

    /// Takes a frame, of which the last `torn` bytes are not there.
    pub(super) fn frame(&mut self, header: Header, bytes: &[u8], torn: usize) {
        self.mark_missing(header.time);
        let Header { kind, time, run, .. } = header;
        match kind {
            Kind::Line(stream) => self.output(Origin { run, stream }, time, true, bytes),
            Kind::Output(stream) => self.output(Origin { run, stream }, time, false, bytes),
            Kind::End(stream) => {
                self.lines.end(Origin { run, stream }, |line| self.chosen.line(line));
            }
            Kind::Opened => self.lines.end_all(|line| self.chosen.line(line)),
            Kind::Dropped => self.dropped(header, bytes),
            Kind::Unknown(_) => {}
        }
        if torn > 0 {
            self.missing(MarkKind::Damaged { bytes: torn as u64 });
        }
    }

    /// Something is missing here.
    pub(super) fn missing(&mut self, what: MarkKind) {
        self.missing.push(what);
    }

    /// There is no more. Answers whether that brought more records.
    pub(super) fn finish(&mut self) -> bool {
        self.mark_missing(Timestamp::now());
        self.lines.end_all(|line| self.chosen.line(line));
        !self.chosen.records.is_empty()
    }

    fn output(&mut self, origin: Origin, time: Timestamp, begins_line: bool, bytes: &[u8]) {
        if self.chosen.query.wants_run(origin.run) {
            let piece = Piece { origin, time, begins_line, bytes };
            self.lines.feed(piece, |line| self.chosen.line(line));
        }
    }

    /// What comes behind a hole does not continue what was before it.
    fn dropped(&mut self, header: Header, bytes: &[u8]) {
        self.lines.end_all(|line| self.chosen.line(line));
        let bytes = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if self.chosen.query.wants_run(header.run) {
            self.chosen.mark(Mark { time: header.time, kind: MarkKind::Dropped { bytes } });
        }
    }

    fn mark_missing(&mut self, time: Timestamp) {
        if !self.missing.is_empty() {
            self.lines.end_all(|line| self.chosen.line(line));
        }
        self.missing.drain(..).for_each(|kind| self.chosen.mark(Mark { time, kind }));
    }
}

impl Chosen {
    fn line(&mut self, line: Line) {
        if self.query.wants_line(&line) {
            self.records.push_back(Record::Line(line));
        }
    }

    fn mark(&mut self, mark: Mark) {
        if self.query.wants_mark(mark) {
            self.records.push_back(Record::Mark(mark));
        }
    }
}
