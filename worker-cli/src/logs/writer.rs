//! Writes frames at the end of a log, wholly or not at all, and keeps the log within its cap.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::frame::{HEADER, Header, Kind, MOST};
use super::lines::Origin;
use super::segment::{self, MAGIC, Segment};

/// A smaller cap counts as this.
const LEAST_CAP: u64 = 64 * 1024;
/// A log has room for so many segments, so at most this part of it is deleted at once …
const SEGMENTS: u64 = 16;
/// … but a segment is never longer, so that its end is found by reading little.
const LONGEST_SEGMENT: u64 = 4 << 20;
/// A shorter segment of an earlier writer is continued, lest many starts make many files.
const SHORT_SEGMENT: u64 = 64 * 1024;

/// What may stand before the header of a frame in one write.
const MOST_BEFORE: usize = MAGIC.len() + HEADER + DROPPED;
const DROPPED: usize = HEADER + 8;

/// Makes frames and writes them. Makes neither folder nor file before there is a frame.
#[derive(Debug)]
pub(super) struct Writer {
    folder: Arc<Path>,
    cap: u64,
    place: Option<Place>,
    /// All that was ever written, so that no position comes again.
    end: u64,
    /// Those whose latest output ended within a line.
    within_line: Vec<Origin>,
    dropped: Option<Dropped>,
    health: LogHealth,
}

/// Whether a log can be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHealth {
    /// So many bytes of output could not be written, since the daemon began.
    pub dropped: u64,
    /// Why the latest output could not be written; none if it was.
    pub error: Option<String>,
}

/// Where the next frame goes.
#[derive(Debug)]
struct Place {
    file: File,
    /// The position at which the file begins.
    base: u64,
    /// Where the segments before it begin, oldest first.
    older: VecDeque<u64>,
    /// What has to stand before the next frame.
    ahead: Vec<u8>,
}

/// Output that could not be written.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    bytes: u64,
    run: u64,
    since: Timestamp,
}

impl Writer {
    pub(super) fn new(folder: Arc<Path>, cap: u64) -> Self {
        Self {
            folder,
            cap: cap.max(LEAST_CAP),
            place: None,
            end: 0,
            within_line: Vec::new(),
            dropped: None,
            health: LogHealth::default(),
        }
    }

    /// Writes output in as many frames as it needs.
    ///
    /// # Errors
    ///
    /// If some could not be written. That is counted, and marked before what comes next.
    pub(super) fn append(
        &mut self,
        origin: Origin,
        time: Timestamp,
        bytes: &[u8],
    ) -> io::Result<()> {
        let pieces = bytes.chunks(self.most()).map(|piece| self.append_piece(origin, time, piece));
        pieces.fold(Ok(()), Result::and)
    }

    /// Notes that nothing more comes from there, if that ends a line.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub(super) fn end_stream(&mut self, origin: Origin, time: Timestamp) -> io::Result<()> {
        let Some(at) = self.within_line.iter().position(|it| *it == origin) else { return Ok(()) };
        self.within_line.swap_remove(at);
        let Origin { run, stream } = origin;
        self.write(Header { kind: Kind::End(stream), length: 0, time, run }, &[])
    }

    /// The position behind the last frame; none if this writer has written nothing.
    pub(super) fn end(&self) -> Option<u64> {
        (self.end > 0).then_some(self.end)
    }

    /// Whether it can be written.
    pub(super) fn health(&self) -> LogHealth {
        self.health.clone()
    }

    /// Lets go of the file if no line is half written. The next frame opens it again, or a new one
    /// if somebody has deleted it.
    pub(super) fn rest(&mut self) {
        if self.within_line.is_empty() {
            self.place = None;
        }
    }

    fn append_piece(&mut self, origin: Origin, time: Timestamp, piece: &[u8]) -> io::Result<()> {
        let Origin { run, stream } = origin;
        let is_within = self.dropped.is_none() && self.within_line.contains(&origin);
        let kind = if is_within { Kind::Output(stream) } else { Kind::Line(stream) };
        let written = self.write(Header { kind, length: piece.len(), time, run }, piece);
        if written.is_err() {
            let new = Dropped { bytes: 0, run, since: time };
            self.dropped.get_or_insert(new).bytes += piece.len() as u64;
            self.health.dropped += piece.len() as u64;
        } else {
            self.within_line.retain(|it| *it != origin);
            if !piece.ends_with(b"\n") {
                self.within_line.push(origin);
            }
        }
        written
    }

    fn write(&mut self, header: Header, bytes: &[u8]) -> io::Result<()> {
        let written = self.try_write(header, bytes);
        self.health.error = written.as_ref().err().map(ToString::to_string);
        written
    }

    fn try_write(&mut self, header: Header, bytes: &[u8]) -> io::Result<()> {
        let needed = (MOST_BEFORE + HEADER + bytes.len()) as u64;
        let dropped = self.dropped;
        let (end, place) = self.make_place(needed)?;
        let mut head = place.ahead.clone();
        dropped.iter().for_each(|dropped| dropped.encode(&mut head));
        head.extend(header.encode());
        place.write(end, &head, bytes)?;
        self.end = end + (head.len() + bytes.len()) as u64;
        if self.dropped.take().is_some() {
            // A reader lets all lines end at the mark.
            self.within_line.clear();
        }
        Ok(())
    }

    /// Sees that there is room for so many bytes.
    fn make_place(&mut self, needed: u64) -> io::Result<(u64, &mut Place)> {
        let longest = self.longest_segment();
        let place = match self.place.take().filter(Place::is_there) {
            Some(place) => place,
            None => {
                let (place, end) = Place::open(&self.folder, self.end)?;
                self.end = end;
                self.within_line.clear();
                place
            }
        };
        let place = self.place.insert(place);
        if self.end > place.base && self.end - place.base + needed > longest {
            place.go_on(&self.folder, self.end)?;
        }
        place.make_room(&self.folder, self.end + needed, self.cap);
        Ok((self.end, place))
    }

    fn longest_segment(&self) -> u64 {
        (self.cap / SEGMENTS).min(LONGEST_SEGMENT)
    }

    /// So many bytes fit into one frame.
    fn most(&self) -> usize {
        let longest = usize::try_from(self.longest_segment()).unwrap_or(usize::MAX);
        (longest - MOST_BEFORE - HEADER).min(MOST)
    }
}

impl Place {
    /// At the end of what is in the folder, but not before `floor`. Gives that position, too.
    fn open(folder: &Path, floor: u64) -> io::Result<(Self, u64)> {
        let mut segments = segment::list(folder)?;
        let end = segments.last().map_or(0, |last| last.end()).max(floor);
        let new = Segment { base: end, length: 0 };
        let last = segments.pop_if(|last| last.end() == end && is_continued(folder, *last, floor));
        let mut place = Self::at(folder, last.unwrap_or(new))?;
        place.older = segments.iter().map(|segment| segment.base).collect();
        let opened = Header { kind: Kind::Opened, length: 0, time: Timestamp::now(), run: 0 };
        place.ahead.extend(opened.encode());
        Ok((place, end))
    }

    fn at(folder: &Path, segment: Segment) -> io::Result<Self> {
        let file = segment::create(folder, segment.base)?;
        let ahead = if segment.length == 0 { MAGIC.to_vec() } else { Vec::new() };
        Ok(Self { file, base: segment.base, older: VecDeque::new(), ahead })
    }

    /// False if somebody has deleted its file: what is written there is lost.
    fn is_there(&self) -> bool {
        rustix::fs::fstat(&self.file).is_ok_and(|facts| facts.st_nlink > 0)
    }

    /// Goes on in a new segment.
    fn go_on(&mut self, folder: &Path, end: u64) -> io::Result<()> {
        let mut next = Self::at(folder, Segment { base: end, length: 0 })?;
        next.older = std::mem::take(&mut self.older);
        next.older.push_back(self.base);
        *self = next;
        Ok(())
    }

    /// Deletes the oldest segments, so that the log is within its cap when it reaches to `end`. One
    /// that cannot be deleted is left to the next writer.
    fn make_room(&mut self, folder: &Path, end: u64, cap: u64) {
        while let Some(&oldest) = self.older.front().filter(|&&oldest| end - oldest > cap) {
            let _ = segment::delete(folder, oldest);
            self.older.pop_front();
        }
    }

    fn write(&mut self, end: u64, head: &[u8], bytes: &[u8]) -> io::Result<()> {
        let at = end - self.base;
        let mut slices = [IoSlice::new(head), IoSlice::new(bytes)];
        let written = write_all_at(&self.file, &mut slices, at);
        match written {
            Ok(()) => self.ahead.clear(),
            // What cannot be cut off is written over by the next frame.
            Err(_) => drop(self.file.set_len(at)),
        }
        written
    }
}

impl Dropped {
    fn encode(&self, into: &mut Vec<u8>) {
        let Self { bytes, run, since } = *self;
        into.extend(Header { kind: Kind::Dropped, length: 8, time: since, run }.encode());
        into.extend(bytes.to_le_bytes());
    }
}

/// Whether the next frame can go into this file. What reaches to `floor` was written by us.
fn is_continued(folder: &Path, last: Segment, floor: u64) -> bool {
    let is_sound = |bytes: Vec<u8>| segment::is_sound(&bytes);
    last.end() == floor
        || last.length <= SHORT_SEGMENT
            && std::fs::read(segment::path(folder, last.base)).is_ok_and(is_sound)
}

fn write_all_at(file: &File, mut slices: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match rustix::io::pwritev(file, slices, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                at += written as u64;
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
