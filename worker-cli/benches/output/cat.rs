//! What anybody has: a pipe and `cat`.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::child;
use crate::emit::Load;

/// The time until everything is in the file.
pub(crate) fn write(load: Load) -> io::Result<Duration> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cat");
    let file = File::create(&path)?;
    let begun = Instant::now();
    let (reader, writer) = io::pipe()?;
    let mut source = child::writer(load)?;
    source.stdout(writer);
    let source = child::start(source)?;
    let mut cat = Command::new("cat");
    cat.stdin(reader).stdout(file);
    let cat = child::start(cat)?;
    child::wait(source)?;
    child::wait(cat)?;
    let took = begun.elapsed();
    let length = fs::metadata(&path)?.len();
    fs::remove_file(&path)?;
    if length != load.bytes() {
        return Err(io::Error::other(format!("`cat` wrote {length} bytes")));
    }
    Ok(took)
}
