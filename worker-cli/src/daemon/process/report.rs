//! What a daemon tells the verb that started it, on stdout: one line of JSON, then no more.

use std::io::{self, Write};

use serde_json::json;

use crate::api::VERSION;
use crate::error::Failure;

/// Whoever waits for a daemon to listen, if somebody does.
#[derive(Debug)]
pub(super) struct Report {
    is_awaited: bool,
}

impl Report {
    pub(super) fn new(is_awaited: bool) -> Self {
        Self { is_awaited }
    }

    /// It listens.
    pub(super) fn ready(&mut self) {
        self.tell(&json!({ "v": VERSION, "pid": std::process::id() }).to_string());
    }

    /// It does not listen, and ends, if this is a failure.
    pub(super) fn failed(&mut self, failure: Option<&Failure>) {
        if let Some(failure) = failure {
            self.tell(&failure.to_json());
        }
    }

    fn tell(&mut self, line: &str) {
        if !std::mem::take(&mut self.is_awaited) {
            return;
        }
        // Who waited may have gone.
        drop(io::stdout().write_all(format!("{line}\n").as_bytes()));
        drop(io::stdout().flush());
        // Then what is said by mistake goes to the log.
        let _ = rustix::stdio::dup2_stdout(io::stderr());
    }
}
