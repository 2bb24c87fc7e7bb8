//! The tree: a leader with 500 processes, every other one a daemon.

use std::path::Path;

/// A process of it writes this once it is where the script wants it.
const UP: &str = "up ";

/// With the leader.
const PROCESSES: usize = 501;

/// The program that becomes the tree.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_worker-fixture"))
}

/// What it is told.
pub(crate) fn script() -> impl Iterator<Item = &'static str> {
    "swarm 500 up leader sleep".split(' ')
}

/// Whether all of its processes are up, by what they wrote so far.
pub(crate) fn is_complete(written: &[u8]) -> bool {
    let lines = written.split_inclusive(|&byte| byte == b'\n');
    let up = lines.filter(|line| line.starts_with(UP.as_bytes()) && line.ends_with(b"\n"));
    up.count() == PROCESSES
}
