//! What is kept of a slot across daemons.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use worker_core::{Failures, Past};

/// What is kept of a slot across daemons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its latest run, counted from 1.
    pub(super) run: u64,
    /// What is to become of it when a daemon starts.
    pub(super) intent: Intent,
    /// Whether a run of it lives. If it still says so when a daemon starts, the one before was killed.
    pub(super) lives: bool,
    /// What it has behind it.
    pub(super) past: Past,
    /// The folder that it was prepared in.
    pub(super) prepared: Option<PathBuf>,
    /// Since when it is at rest, or in the state that it has.
    pub(super) since: Timestamp,
    /// The number of the environment of its last start.
    pub(super) env: Option<u64>,
}

/// What somebody wanted of a slot last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Intent {
    /// It is to run: a new daemon goes on with it.
    Up,
    /// It is to rest: it was never started, was stopped, or ended by itself.
    Rest,
}

/// An environment as it came with a request.
pub(super) type Variables = BTreeMap<String, String>;

impl Record {
    /// Nothing is to become of it by itself, and nothing is held against it.
    pub(super) fn rests(&self) -> bool {
        self.intent == Intent::Rest && !self.lives && self.past.failures == Failures::None
    }
}

impl Default for Record {
    fn default() -> Self {
        Self {
            run: 0,
            intent: Intent::Rest,
            lives: false,
            past: Past::default(),
            prepared: None,
            since: Timestamp::now(),
            env: None,
        }
    }
}
