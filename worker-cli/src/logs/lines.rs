//! Makes lines of output that comes in pieces, of several runs and streams at once.

use jiff::Timestamp;

use super::LONGEST_LINE;
use super::record::{Line, LineEnd, Stream};

/// Holds the beginnings of lines whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<Line>,
}

/// What was read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) origin: Origin,
    pub(super) time: Timestamp,
    pub(super) begins_line: bool,
    pub(super) bytes: &'a [u8],
}

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) run: u64,
    pub(super) stream: Stream,
}

impl Lines {
    /// Hands the lines that this piece completes to `take`.
    pub(super) fn feed(&mut self, piece: Piece<'_>, mut take: impl FnMut(Line)) {
        let Piece { origin, time, begins_line, bytes: mut rest } = piece;
        let begun = self.begun.iter().position(|line| Origin::of(line) == origin);
        let mut line = match begun {
            Some(at) => self.begun.swap_remove(at),
            None => Line { headless: !begins_line, ..origin.line(time) },
        };
        while let Some(at) = memchr::memchr(b'\n', rest) {
            extend(&mut line, time, &rest[..at], &mut take);
            rest = &rest[at + 1..];
            take(finish(&mut line, time, LineEnd::Newline));
        }
        extend(&mut line, time, rest, &mut take);
        if !line.bytes.is_empty() {
            self.begun.push(line);
        }
    }

    /// No more comes from there.
    pub(super) fn end(&mut self, origin: Origin, mut take: impl FnMut(Line)) {
        let begun = self.begun.iter().position(|line| Origin::of(line) == origin);
        begun.into_iter().for_each(|at| take(self.begun.swap_remove(at)));
    }

    /// No more comes from anywhere.
    pub(super) fn end_all(&mut self, take: impl FnMut(Line)) {
        self.begun.sort_by_key(|line| line.time);
        self.begun.drain(..).for_each(take);
    }
}

impl Origin {
    const fn of(line: &Line) -> Self {
        Self { run: line.run, stream: line.stream }
    }

    const fn line(self, time: Timestamp) -> Line {
        let Self { run, stream } = self;
        Line { time, run, stream, bytes: Vec::new(), end: LineEnd::Output, headless: false }
    }
}

/// Adds to a line, and cuts off what is too long.
fn extend(line: &mut Line, time: Timestamp, mut piece: &[u8], take: &mut impl FnMut(Line)) {
    loop {
        let room = LONGEST_LINE - line.bytes.len();
        let Some((fits, more)) = piece.split_at_checked(room).filter(|(_, more)| !more.is_empty())
        else {
            line.bytes.extend_from_slice(piece);
            return;
        };
        line.bytes.extend_from_slice(fits);
        take(finish(line, time, LineEnd::Cut));
        piece = more;
    }
}

/// Ends a line, or a piece of it, and begins the next.
fn finish(line: &mut Line, time: Timestamp, end: LineEnd) -> Line {
    let headless = line.headless && end == LineEnd::Cut;
    let next = Line { headless, ..Origin::of(line).line(time) };
    Line { end, ..std::mem::replace(line, next) }
}
