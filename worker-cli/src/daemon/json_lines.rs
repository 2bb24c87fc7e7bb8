//! Lines of JSON.

use std::io;

use serde::Serialize;

/// Puts each in words, with the end of a line behind it.
pub(super) fn put<T: Serialize>(
    lines: impl IntoIterator<Item = T>,
    into: &mut Vec<u8>,
) -> io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut *into, &line)?;
        into.push(b'\n');
    }
    Ok(())
}
