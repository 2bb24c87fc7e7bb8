//! What goes wrong at the border: said in words, with what to do next and an exit code.

use std::fmt;

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
        Self { code, message: message.into(), hint: None }
    }

    /// The same with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { code, message, hint } = self;
        let error = Body { code: code.name(), message, hint: hint.as_deref() };
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

/// The message, and the hint on a line of its own.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: {hint}"))
    }
}
