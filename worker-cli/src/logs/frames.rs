//! Reads the frames of a log, over all segments.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::frame::{HEADER, Header};
use super::segment::{self, MAGIC, Segment};

/// What is read at once.
const BLOCK: usize = 128 * 1024;

/// Goes through a log from one position on.
#[derive(Debug)]
pub(super) struct Frames {
    folder: Arc<Path>,
    position: u64,
    open: Option<Open>,
    /// What was read ahead; its first `used` bytes stand before the position.
    buffer: Vec<u8>,
    used: usize,
}

/// The segment that the position is in.
#[derive(Debug)]
struct Open {
    file: File,
    base: u64,
    /// Where the next segment begins, if there was one when we looked.
    next: Option<u64>,
}

/// What stands at a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Frame {
        header: Header,
        /// What is there of its bytes.
        bytes: &'a [u8],
        /// How many more there should be.
        torn: usize,
    },
    /// So many bytes were deleted.
    Gone(u64),
    /// So many bytes make no sense.
    Damaged(u64),
}

impl Frames {
    pub(super) fn new(folder: Arc<Path>, position: u64) -> Self {
        Self { folder, position, open: None, buffer: Vec::new(), used: 0 }
    }

    /// The position of the next item.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The next item before `end`, which must be a position between frames, or the end of the last
    /// segment of a log that nobody writes.
    pub(super) fn next(&mut self, end: u64) -> io::Result<Option<Item<'_>>> {
        while self.position < end {
            let Some(open) = &self.open else {
                if let Some(gone) = self.open_segment(end)? {
                    return Ok(Some(Item::Gone(gone)));
                }
                continue;
            };
            if open.next == Some(self.position) {
                self.jump(self.position);
            } else if open.base == self.position {
                if !self.skip_magic(end)?
                    && let Some(item) = self.skip_rest(end)?
                {
                    return Ok(Some(item));
                }
            } else if let Some((header, length)) = self.measure(end)? {
                return Ok(Some(self.take(header, length, end)));
            } else if let Some(item) = self.skip_rest(end)? {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Finds the segment of the position. Gives how much is missing before the next one.
    fn open_segment(&mut self, end: u64) -> io::Result<Option<u64>> {
        let segments = segment::list(&self.folder)?;
        let following = segments.partition_point(|segment| segment.base <= self.position);
        let next = segments.get(following).map(|segment| segment.base);
        let gone = next.map_or(end, |next| next.min(end));
        let Some(Segment { base, .. }) = segments[..following].last().copied() else {
            return Ok(Some(self.jump(gone)));
        };
        match segment::open(&self.folder, base) {
            Ok(file) => self.open = Some(Open { file, base, next }),
            // Deleted since we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(self.jump(gone)));
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Goes elsewhere, and says how far that is.
    fn jump(&mut self, position: u64) -> u64 {
        let skipped = position - self.position;
        (self.position, self.open, self.used) = (position, None, 0);
        self.buffer.clear();
        skipped
    }

    /// At the beginning of a segment. Answers whether it is one of ours.
    fn skip_magic(&mut self, end: u64) -> io::Result<bool> {
        let is_ours = self.fill(MAGIC.len(), end)?.starts_with(&MAGIC);
        if is_ours {
            self.advance(MAGIC.len());
        }
        Ok(is_ours)
    }

    /// The header here, and how many of its bytes are there; none if there is no sound one.
    fn measure(&mut self, end: u64) -> io::Result<Option<(Header, usize)>> {
        let Some(header) = Header::decode(self.fill(HEADER, end)?) else { return Ok(None) };
        let there = self.fill(HEADER + header.length, end)?.len() - HEADER;
        if there < header.length && !self.is_last_word(end)? {
            return self.measure(end);
        }
        Ok(Some((header, there.min(header.length))))
    }

    fn take(&mut self, header: Header, length: usize, end: u64) -> Item<'_> {
        let from = self.used + HEADER;
        let torn = header.length - length;
        self.advance(HEADER + length);
        if torn > 0 {
            self.position = self.segment_end(end);
        }
        Item::Frame { header, bytes: &self.buffer[from..from + length], torn }
    }

    /// Nothing here can be read, up to the end of the segment. None if we just did not know that the
    /// segment has ended.
    fn skip_rest(&mut self, end: u64) -> io::Result<Option<Item<'static>>> {
        if !self.is_last_word(end)? {
            return Ok(None);
        }
        let what = if self.fill(1, end)?.is_empty() { Item::Gone } else { Item::Damaged };
        Ok(Some(what(self.jump(self.segment_end(end)))))
    }

    /// Looks whether the segment ends where we thought. If not, now we know.
    fn is_last_word(&mut self, end: u64) -> io::Result<bool> {
        let before = self.segment_end(end);
        if let Some(open) = self.open.as_mut().filter(|open| open.next.is_none()) {
            let segments = segment::list(&self.folder)?;
            let base = open.base;
            open.next = segments.iter().map(|it| it.base).find(|next| *next > base);
        }
        Ok(self.segment_end(end) == before)
    }

    /// Where the segment ends, as far as we may read.
    fn segment_end(&self, end: u64) -> u64 {
        let next = self.open.as_ref().and_then(|open| open.next);
        next.map_or(end, |next| next.min(end))
    }

    /// At least so many bytes from the position on, or all there are.
    fn fill(&mut self, wanted: usize, end: u64) -> io::Result<&[u8]> {
        let end = self.segment_end(end);
        while self.buffer.len() - self.used < wanted {
            self.buffer.drain(..self.used);
            self.used = 0;
            let from = self.position + self.buffer.len() as u64;
            if self.read_ahead(from, end, wanted)? == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.used..])
    }

    fn read_ahead(&mut self, from: u64, end: u64, wanted: usize) -> io::Result<usize> {
        let Some(open) = &self.open else { return Ok(0) };
        let filled = self.buffer.len();
        let left = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        let most = BLOCK.max(wanted).saturating_sub(filled).min(left);
        self.buffer.resize(filled + most, 0);
        let read = open.file.read_at(&mut self.buffer[filled..], from - open.base);
        self.buffer.truncate(filled + read.as_ref().map_or(0, |read| *read));
        read
    }

    fn advance(&mut self, bytes: usize) {
        self.used += bytes;
        self.position += bytes as u64;
    }
}
