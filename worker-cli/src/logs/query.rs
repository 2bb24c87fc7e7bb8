//! Which part of a log is wanted, and where it begins.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use regex_lite::Regex;

use super::frames::{Frames, Item};
use super::lines::Origin;
use super::record::{Line, Mark};
use super::segment::{self, Segment};

/// Which part of a log is wanted. By default all of it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only so many lines, the last ones of those that match. Marks do not count, and neither need a
    /// line without end that nothing was added to for as many lines.
    pub last: Option<usize>,
    /// Only lines that began at this time or later, by the wall clock of then.
    pub since: Option<Timestamp>,
    /// Only this run, counted from 1 within the slot.
    pub run: Option<u64>,
    /// Only lines that match. Colours do not count, and bytes that are no UTF-8 are replaced.
    pub grep: Option<Regex>,
    /// Nothing before this position.
    pub(super) from: Option<u64>,
}

/// A position between frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) position: u64,
    /// Whether something that is asked for may stand before it.
    pub(super) has_more_before: bool,
}

impl Query {
    /// Whether output of this run can match.
    pub(super) fn wants_run(&self, run: u64) -> bool {
        self.run.is_none_or(|wanted| wanted == run)
    }

    pub(super) fn wants_line(&self, line: &Line) -> bool {
        self.wants_time(line.time)
            && self.grep.as_ref().is_none_or(|grep| matches(grep, &line.bytes))
    }

    pub(super) fn wants_mark(&self, mark: Mark) -> bool {
        self.wants_time(mark.time)
    }

    fn wants_time(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since)
    }

    /// Where everything is found, if `enough` lines are.
    pub(super) fn start(&self, folder: &Arc<Path>, end: u64, enough: usize) -> io::Result<Start> {
        let segments = segment::list(folder)?;
        let floor = self.from.or(segments.first().map(|oldest| oldest.base)).unwrap_or(end);
        let segments = segments.into_iter().filter(|it| it.base < end && it.end() > floor);
        let segments: Vec<_> = segments.collect();
        let is_end_enough = self.last.is_some() && self.since.is_none() && self.grep.is_none();
        if is_end_enough
            && let Some(position) = self.start_of_last(folder, &segments, floor..end, enough)?
            && position > floor
        {
            return Ok(Start { position, has_more_before: true });
        }
        let position = match self.since {
            Some(since) => start_since(folder, &segments, since)?.unwrap_or(floor).max(floor),
            None => floor,
        };
        Ok(Start { position, has_more_before: false })
    }

    /// From the end: the frame after which there are enough lines.
    fn start_of_last(
        &self,
        folder: &Arc<Path>,
        segments: &[Segment],
        within: Range<u64>,
        last: usize,
    ) -> io::Result<Option<u64>> {
        let mut newlines = 0;
        let mut origins = HashSet::new();
        for segment in segments.iter().rev() {
            let frames = self.survey(folder, *segment, &within)?;
            for (position, origin, found) in frames.into_iter().rev() {
                newlines += found;
                // The first newline of each may end a line that began before.
                origins.insert(origin);
                if newlines >= last.saturating_add(origins.len()) {
                    return Ok(Some(position));
                }
            }
        }
        Ok(None)
    }

    /// The frames of output in a segment, with their newlines. What is not within costs nothing.
    fn survey(
        &self,
        folder: &Arc<Path>,
        segment: Segment,
        within: &Range<u64>,
    ) -> io::Result<Vec<(u64, Origin, usize)>> {
        let begin = segment.base.max(within.start);
        let mut frames = Frames::new(Arc::clone(folder), begin);
        let end = segment.end().min(within.end);
        let mut found = Vec::new();
        loop {
            let before = frames.position();
            match frames.next(end)? {
                None => return Ok(found),
                Some(Item::Frame { header, bytes, .. }) => {
                    if let Some(origin) = header.origin().filter(|it| self.wants_run(it.run)) {
                        let newlines = memchr::memchr_iter(b'\n', bytes).count();
                        found.push((before.max(begin), origin, newlines));
                    }
                }
                Some(Item::Gone(_) | Item::Damaged(_)) => {}
            }
        }
    }
}

/// The last segment that begins before this time: if the clock was set back since, perhaps not all
/// that claims to be later is found.
fn start_since(
    folder: &Arc<Path>,
    segments: &[Segment],
    since: Timestamp,
) -> io::Result<Option<u64>> {
    for segment in segments.iter().rev() {
        let mut frames = Frames::new(Arc::clone(folder), segment.base);
        if let Some(Item::Frame { header, .. }) = frames.next(segment.end())?
            && header.time < since
        {
            return Ok(Some(segment.base));
        }
    }
    Ok(None)
}

fn matches(grep: &Regex, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    grep.is_match(&crate::ready::without_escapes(text.trim_end_matches('\r')))
}
