//! The frames of which a log consists: a header, then bytes as they were read.
//!
//! ```text
//! check u32 | length u24, kind u8 | time i64 | run u64 | bytes …
//! ```
//!
//! Little endian. `time` is in microseconds since 1970. `check` is over the rest of the header, so
//! that zeros or a stray piece of text are not taken for one. The bytes themselves are not checked: the
//! kernel writes them before it lets the file grow over them.

use jiff::Timestamp;

use super::lines::Origin;
use super::record::Stream;

/// The length of a header.
pub(super) const HEADER: usize = 24;

/// No frame holds more bytes.
pub(super) const MOST: usize = 1 << 20;

/// What stands before the bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// How many bytes follow.
    pub(super) length: usize,
    pub(super) time: Timestamp,
    pub(super) run: u64,
}

/// What a frame means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Output that goes on where the last frame of the same run and stream ended.
    Output(Stream),
    /// Output that begins a line.
    Line(Stream),
    /// The run writes no more to this stream: a line without end is over. Without bytes.
    End(Stream),
    /// A writer begins: all lines without end are over. Without bytes.
    Opened,
    /// Bytes that could not be written, their number in eight bytes.
    Dropped,
    /// Of a newer version: to be skipped.
    Unknown(u8),
}

const STREAM: u8 = 0x00;
const LINE: u8 = 0x10;
const END: u8 = 0x20;
const OPENED: u8 = 0x30;
const DROPPED: u8 = 0x31;

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        let word = u32::from(self.kind.code()) << 24 | length;
        let mut bytes = [0; HEADER];
        bytes[4..8].copy_from_slice(&word.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.time.as_microsecond().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.run.to_le_bytes());
        let check = check(&bytes[4..]);
        bytes[..4].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// The header at the beginning of `bytes`; none if there is no sound one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let length = (word(4) & 0x00ff_ffff) as usize;
        if word(0) != check(&bytes[4..]) || length > MOST {
            return None;
        }
        let time = Timestamp::from_microsecond(long(8).cast_signed()).ok()?;
        Some(Self { kind: Kind::from_code(bytes[7]), length, time, run: long(16) })
    }
}

impl Header {
    /// Where its bytes come from, if they are output.
    pub(super) const fn origin(&self) -> Option<Origin> {
        match self.kind {
            Kind::Output(stream) | Kind::Line(stream) => Some(Origin { run: self.run, stream }),
            Kind::End(_) | Kind::Opened | Kind::Dropped | Kind::Unknown(_) => None,
        }
    }
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Output(stream) => STREAM | code(stream),
            Self::Line(stream) => LINE | code(stream),
            Self::End(stream) => END | code(stream),
            Self::Opened => OPENED,
            Self::Dropped => DROPPED,
            Self::Unknown(code) => code,
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            OPENED => Self::Opened,
            DROPPED => Self::Dropped,
            _ => {
                let of = |it| [Self::Output(it), Self::Line(it), Self::End(it)];
                let mut known = Stream::ALL.into_iter().flat_map(of);
                known.find(|kind| kind.code() == code).unwrap_or(Self::Unknown(code))
            }
        }
    }
}

const fn code(stream: Stream) -> u8 {
    match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
        Stream::Prepare => 3,
    }
}

/// FNV-1a of 32 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: Kind) -> Header {
        let time = Timestamp::from_microsecond(1_795_330_800_000_007).unwrap();
        Header { kind, length: 12_345, time, run: u64::MAX - 1 }
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        let of = |it| [Kind::Output(it), Kind::Line(it), Kind::End(it)];
        for kind in Stream::ALL.into_iter().flat_map(of).chain([
            Kind::Opened,
            Kind::Dropped,
            Kind::Unknown(0xee),
        ]) {
            assert_eq!(Header::decode(&header(kind).encode()), Some(header(kind)));
        }
    }

    #[test]
    fn zeros_a_piece_and_a_changed_bit_are_no_header() {
        assert_eq!(Header::decode(&[0; HEADER]), None);
        let good = header(Kind::Output(Stream::Stdout)).encode();
        assert_eq!(Header::decode(&good[..HEADER - 1]), None);
        for bit in 0..HEADER * 8 {
            let mut bytes = good;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_none() {
        let header = Header { length: MOST + 1, ..header(Kind::Opened) };
        assert_eq!(Header::decode(&header.encode()), None);
    }
}
