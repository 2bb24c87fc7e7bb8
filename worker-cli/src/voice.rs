//! How `worker` speaks: on stderr, in plain lines or as JSON Lines, without ever waiting.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::error::Failure;
use crate::outlet::Outlet;

/// How long the last words may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much is said, and in which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Only what went wrong.
    pub quiet: bool,
    /// As JSON Lines.
    pub json: bool,
}

#[derive(Serialize)]
struct Said<'a> {
    v: u8,
    level: &'static str,
    message: &'a str,
}

/// The voice. Clones are the same one.
#[derive(Clone)]
pub struct Voice {
    style: Style,
    outlet: Outlet,
}

impl Voice {
    /// A voice on stderr.
    ///
    /// # Errors
    ///
    /// If there is no room for the thread that writes.
    pub fn on_stderr(style: Style) -> io::Result<Self> {
        Self::to(style, io::stderr())
    }

    /// A voice that is heard elsewhere.
    ///
    /// # Errors
    ///
    /// If there is no room for the thread that writes.
    pub fn to(style: Style, sink: impl Write + Send + 'static) -> io::Result<Self> {
        // Nowhere is left to say that it cannot be written.
        Ok(Self { style, outlet: Outlet::start(sink, |_| {})? })
    }

    /// Says what happens.
    pub fn say(&self, text: &str) {
        if !self.style.quiet {
            self.line("info", text);
        }
    }

    /// Says what is not as it should be, and stops nothing.
    pub fn warn(&self, text: &str) {
        self.line("warning", text);
    }

    /// Says why `worker` gives up.
    pub fn fail(&self, failure: &Failure) {
        self.raw(failure_line(self.style, failure));
    }

    /// Puts a finished line among the others.
    pub fn raw(&self, line: String) {
        self.outlet.line(line);
    }

    /// Waits until everything is said, for a second at most.
    pub fn finish(&self) {
        self.outlet.flush(LAST_WORDS);
    }

    fn line(&self, level: &'static str, text: &str) {
        self.raw(said_line(self.style, level, text));
    }
}

/// Something that stops nothing, in the form that was asked for.
#[must_use]
pub(crate) fn said_line(style: Style, level: &'static str, text: &str) -> String {
    if style.json {
        serde_json::to_string(&Said { v: 1, level, message: text }).unwrap_or_default()
    } else {
        format!("worker: {text}")
    }
}

/// A failure in the form that was asked for.
#[must_use]
pub fn failure_line(style: Style, failure: &Failure) -> String {
    if style.json { failure.to_json() } else { format!("worker: {failure}") }
}
