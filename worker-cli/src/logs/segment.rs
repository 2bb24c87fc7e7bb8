//! The files of a log: each is named by the position at which it begins.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::frame::{HEADER, Header};

/// What each file begins with. The last byte is the version.
pub(super) const MAGIC: [u8; 8] = *b"wlog\r\n\0\x01";

/// A file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The position at which it begins.
    pub(super) base: u64,
    /// How long it is.
    pub(super) length: u64,
}

impl Segment {
    /// The position behind it.
    pub(super) const fn end(self) -> u64 {
        self.base + self.length
    }
}

/// The segments of a folder, oldest first. A folder that is not there has none.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(base) = entry.file_name().to_str().and_then(base) else { continue };
        match entry.metadata() {
            Ok(metadata) if !metadata.is_file() => {}
            Ok(metadata) => segments.push(Segment { base, length: metadata.len() }),
            // It was the oldest one, and is deleted by now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    segments.sort_unstable_by_key(|segment| segment.base);
    Ok(segments)
}

/// Opens the segment that begins at `base`, to be read.
pub(super) fn open(folder: &Path, base: u64) -> io::Result<File> {
    File::open(path(folder, base))
}

/// Opens or makes the segment that begins at `base`, to be written by nobody else. What a run says
/// may be secret, so only its user reads it.
pub(super) fn create(folder: &Path, base: u64) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(path(folder, base))
}

pub(super) fn delete(folder: &Path, base: u64) -> io::Result<()> {
    fs::remove_file(path(folder, base))
}

/// Whether a whole file consists of sound frames, so that another one can follow.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let Some(mut rest) = bytes.strip_prefix(&MAGIC) else { return false };
    while let Some(header) = Header::decode(rest) {
        let Some((_, next)) = rest.split_at_checked(HEADER + header.length) else { return false };
        rest = next;
    }
    rest.is_empty()
}

pub(super) fn path(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.log"))
}

fn base(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let is_ours = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| digits.parse().ok()).flatten()
}
