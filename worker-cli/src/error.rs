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
    /// Anything else.
    Failed,
}

impl Failure {
    /// An error of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: Vec::new() }
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
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::BadConfig => "bad_config",
            Self::SpawnFailed => "spawn_failed",
            Self::Parked => "parked",
            Self::Unkillable => "unkillable",
            Self::Failed => "failed",
        }
    }

    /// The exit code of `worker`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => exit_code::USAGE,
            Self::BadConfig => exit_code::BAD_CONFIG,
            Self::Parked => exit_code::PARKED,
            Self::SpawnFailed | Self::Unkillable | Self::Failed => exit_code::FAILED,
        }
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
