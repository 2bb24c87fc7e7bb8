//! The log of a slot.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use worker_cli::logs::{Follow, LineEnd, Logs, Query, Record, SlotLog, Stream};

use crate::child;
use crate::emit::{LINE, Load, Number};

/// Nothing of it is to be deleted.
const CAP: u64 = 2 << 30;

/// Who else looks at the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follower {
    None,
    /// Has read a little, and reads no more.
    Asleep,
}

/// The time until everything is in the log.
pub(crate) fn store(load: Load, follower: Follower) -> io::Result<Duration> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("log");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let log = SlotLog::new(&folder, CAP);
    let took = run(&runtime, &log, load, follower)?;
    check(&log, load)?;
    fs::remove_dir_all(&folder)?;
    Ok(took)
}

fn run(runtime: &Runtime, log: &SlotLog, load: Load, follower: Follower) -> io::Result<Duration> {
    let logs = Logs::start()?;
    let begun = Instant::now();
    let streams = [Stream::Stdout, Stream::Stderr];
    let (capture, [stdout, stderr]) = logs.capture(log, 1, streams, None)?;
    let mut command = child::writer(load)?;
    command.stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    let source = child::start(command)?;
    let mut stream = log.stream(Query::default(), Follow::Yes);
    if follower == Follower::Asleep {
        runtime.block_on(stream.next())?;
    }
    child::wait(source)?;
    runtime.block_on(capture.close());
    Ok(begun.elapsed())
}

/// Compares the log with what the child has written.
fn check(log: &SlotLog, load: Load) -> io::Result<()> {
    let mut number = Number::default();
    let mut lines = 0;
    for record in log.records(&Query::default())? {
        match record? {
            Record::Line(line)
                if line.stream == Stream::Stdout
                    && line.end == LineEnd::Newline
                    && line.bytes == number.line()[..LINE - 1] => {}
            other @ (Record::Line(_) | Record::Mark(_)) => {
                return Err(io::Error::other(format!("at line {lines}: {other:?}")));
            }
        }
        number.increase();
        lines += 1;
    }
    if lines != load.lines {
        return Err(io::Error::other(format!("{lines} lines are stored")));
    }
    Ok(())
}
