//! What goes wrong at the border: said in words, with what to do next and an exit code.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::exit_code;

/// An error that ends a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind, for programs.
    pub code: Code,
    /// What and why, for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The places in files that it is about, in order; empty if it is about none.
    pub details: Vec<Detail>,
}

/// One thing that is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1 on.
    pub line: usize,
    /// The column in characters, from 1 on.
    pub column: usize,
    /// What and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// All of it for people: several lines, with the line of the file.
    #[serde(skip)]
    pub rendered: String,
}

/// The kinds of errors by the names they carry on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The command line cannot be meant.
    Usage,
    /// A file or folder that was named is missing or bad.
    BadConfig,
    /// The command could not be spawned.
    SpawnFailed,
    /// The breaker tripped.
    Parked,
    /// Processes are still there, long after SIGKILL.
    Unkillable,
    /// The first attempt of a start failed.
    StartFailed,
    /// A stop or a shutdown came between.
    Cancelled,
    /// The slot has no live run.
    NotRunning,
    /// Only a parked slot can be re-armed.
    NotParked,
    /// There is no such slot or project.
    NoSuchSlot,
    /// The daemon cannot be reached.
    NoDaemon,
    /// The daemon is of another version.
    OtherVersion,
    /// The daemon is shutting down.
    ShuttingDown,
    /// It took longer than asked for.
    TimedOut,
    /// Anything else.
    Failed,
}

impl Failure {
    /// An error of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: Vec::new() }
    }

    /// An error of this process itself, before it could do anything.
    #[must_use]
    pub fn no_room(error: &std::io::Error) -> Self {
        Self::new(Code::Failed, format!("worker cannot set itself up: {error}"))
            .hint("look at the limits of processes and open files: ulimit -a")
    }

    /// The same with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the places that it is about.
    #[must_use]
    pub fn details(mut self, details: Vec<Detail>) -> Self {
        self.details = details;
        self
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { code, message, hint, details } = self;
        let error = Body { code: code.name(), message, hint: hint.as_deref(), details };
        serde_json::to_string(&Object { v: 1, error }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Object<'a> {
    v: u8,
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
}

impl Code {
    const ALL: [(Self, &'static str, u8); 15] = [
        (Self::Usage, "usage", exit_code::USAGE),
        (Self::BadConfig, "bad_config", exit_code::BAD_CONFIG),
        (Self::SpawnFailed, "spawn_failed", exit_code::FAILED),
        (Self::Parked, "parked", exit_code::PARKED),
        (Self::Unkillable, "unkillable", exit_code::FAILED),
        (Self::StartFailed, "start_failed", exit_code::FAILED),
        (Self::Cancelled, "cancelled", exit_code::FAILED),
        (Self::NotRunning, "not_running", exit_code::NOT_RUNNING),
        (Self::NotParked, "not_parked", exit_code::FAILED),
        (Self::NoSuchSlot, "no_such_slot", exit_code::NO_SUCH_SLOT),
        (Self::NoDaemon, "no_daemon", exit_code::NO_DAEMON),
        (Self::OtherVersion, "other_version", exit_code::NO_DAEMON),
        (Self::ShuttingDown, "shutting_down", exit_code::FAILED),
        (Self::TimedOut, "timed_out", exit_code::TIMED_OUT),
        (Self::Failed, "failed", exit_code::FAILED),
    ];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// The kind that has this name. None if this version does not know it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|&(code, ..)| code)
    }

    /// The exit code of `worker`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.entry().2
    }

    fn entry(self) -> (Self, &'static str, u8) {
        let entry = Self::ALL.into_iter().find(|&(code, ..)| code == self);
        entry.unwrap_or((Self::Failed, "failed", exit_code::FAILED))
    }
}

/// The message, the details, and the hint on a line of its own.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.details.iter().try_for_each(|detail| write!(f, "\n\n{}", detail.rendered))?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for (code, name, exit_code) in Code::ALL {
            assert_eq!((code.name(), code.exit_code()), (name, exit_code));
            assert_eq!(Code::from_name(name), Some(code));
        }
        assert_eq!(Code::from_name("of a later version"), None);
    }
}
