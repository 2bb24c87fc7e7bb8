//! Reads files of which nobody can know what they are, without waiting for anybody.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// All that is in a regular file. Anything else is an error: a pipe that nobody writes to, or a
/// device that never ends.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let facts = file.metadata()?;
    // Reading a folder has an error of its own.
    if !facts.is_file() && !facts.is_dir() {
        return Err(io::Error::other("it is a pipe or a device, and no regular file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
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
