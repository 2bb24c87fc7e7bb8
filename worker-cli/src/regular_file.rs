//! Reads files of which nobody can know what they are, without waiting for anybody.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// All that is in a regular file. Anything else is an error: a pipe that nobody writes to, or a
/// device that never ends.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether it is a regular file, or a folder, for which reading has an error of its own.
fn check(facts: &Metadata) -> io::Result<()> {
    if facts.is_file() || facts.is_dir() {
        return Ok(());
    }
    Err(io::Error::other("it is a pipe or a device, and no regular file"))
}

/// Opening a pipe would wait for its other end. To a regular file the flag makes no difference.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(nonblock).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}
