//! What a reader of a log gets: lines, and marks where something is missing.

use jiff::Timestamp;

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// The run's stdout.
    Stdout,
    /// The run's stderr.
    Stderr,
    /// What prepared the run: its stdout and stderr.
    Prepare,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Prepare];

    /// `stdout`, `stderr` or `prepare`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Prepare => "prepare",
        }
    }
}

/// A piece of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Output.
    Line(Line),
    /// Output that is missing here.
    Mark(Mark),
}

impl Record {
    /// When: by the wall clock, which may have been set back since the record before.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Line(line) => line.time,
            Self::Mark(mark) => mark.time,
        }
    }
}

/// A line of output, or a piece of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When its first byte was read from the pipe.
    pub time: Timestamp,
    /// The run, counted from 1 within the slot.
    pub run: u64,
    /// The stream.
    pub stream: Stream,
    /// Exactly what was written, without the newline.
    pub bytes: Vec<u8>,
    /// How it ends.
    pub end: LineEnd,
    /// The beginning of the line is not here: it was deleted, or stands before what was asked for.
    pub headless: bool,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// With a newline.
    Newline,
    /// It was [too long](super::LONGEST_LINE) and goes on in the next line of its run and stream.
    Cut,
    /// With the output: nothing came after it, or nothing has come yet.
    Output,
}

/// A place where output is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// What and why.
    pub kind: MarkKind,
}

/// Why output is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// So many bytes of output could not be written: the disk was full or failed.
    Dropped {
        /// How many.
        bytes: u64,
    },
    /// The reader was so far behind that so many bytes of the log were deleted, framing included.
    Gone {
        /// How many.
        bytes: u64,
    },
    /// The log is damaged: so many bytes of it cannot be read. The last frame of a daemon that was
    /// killed while it wrote it, or the end of a file after a loss of power.
    Damaged {
        /// How many.
        bytes: u64,
    },
}

impl std::fmt::Display for MarkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dropped { bytes } => {
                write!(f, "{bytes} bytes dropped: they could not be written")
            }
            Self::Gone { bytes } => {
                write!(f, "{bytes} bytes gone: they were deleted before they could be read")
            }
            Self::Damaged { bytes } => write!(f, "{bytes} bytes of the log cannot be read"),
        }
    }
}
