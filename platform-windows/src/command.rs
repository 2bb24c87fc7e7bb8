//! What to spawn, and what came of it.

use std::ffi::OsString;
use std::path::PathBuf;

/// What to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, as an absolute path: see [`resolve_program`](crate::resolve_program).
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment. Without `SystemRoot` a program can load hardly any library, sockets
    /// included.
    pub env: Vec<(OsString, OsString)>,
    /// The folder to run in.
    pub dir: PathBuf,
    /// Where it reads from.
    pub stdin: Input,
    /// Where it writes to.
    pub stdout: Output,
    /// Where it complains.
    pub stderr: Output,
}

/// Where a process reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing: end-of-file at once.
    Null,
    /// Whatever we read from.
    Inherit,
}

/// Where a process writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Wherever we write to.
    Inherit,
    /// Nowhere.
    Null,
}

/// The process that was spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Its process id, which nobody else gets until its run is over.
    pub pid: u32,
}
