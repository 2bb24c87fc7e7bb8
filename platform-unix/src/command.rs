//! What to execute.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Pid;
use crate::marker::is_marker;
use crate::output::OutputWriter;

/// What to execute, complete: nothing of it is looked up or inherited but what it says.
#[derive(Debug)]
pub struct Command {
    /// The program as an absolute path; see [`resolve_program`](crate::resolve_program).
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<OsString>,
    /// Its complete environment. The [marker](crate::MARKER) is added to it.
    pub env: Vec<(OsString, OsString)>,
    /// The folder to run in.
    pub dir: PathBuf,
    /// How many processes and threads its tree may have at once; none for any number. Needs a
    /// cgroup with the pids controller: where there is none, that is said once, and it runs without.
    pub task_limit: Option<u32>,
    /// Its standard input.
    pub stdin: Input,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error.
    pub stderr: Output,
}

impl Command {
    /// Its environment but for a marker, which is ours to set.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &(OsString, OsString)> {
        self.env.iter().filter(|(name, _)| !is_marker(name))
    }
}

/// Where a standard input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `/dev/null`.
    Null,
    /// Our own.
    Inherit,
}

/// Where an output goes.
#[derive(Debug)]
pub enum Output {
    /// Where our own goes.
    Inherit,
    /// `/dev/null`.
    Null,
    /// Into a pipe of ours; see [`output_pipe`](crate::output_pipe).
    Pipe(OutputWriter),
}

/// What was spawned. It leads a process group of its own, of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Its process id.
    pub pid: Pid,
}
