//! What goes over the daemon's socket: JSON bodies, as values. Server and client share them.
//!
//! A body that is sent may leave out what has a default, and must not hold anything unknown.

mod failure;
mod query;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::query::{EventsQuery, LogsQuery, SlotsQuery};

/// The version of all bodies, which they carry as `v`.
pub const VERSION: u8 = 1;

/// The header by which client and daemon tell each other their version. Without it any is fine.
pub const VERSION_HEADER: &str = "worker-version";

/// A slot as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotStatus {
    /// The name in full: `shop/api`.
    pub slot: String,
    /// The state.
    pub state: State,
    /// The latest run, counted from 1 within the slot; 0 before the first.
    pub run: u64,
    /// The leader's process id; null at rest.
    pub pid: Option<i32>,
    /// The ports that are kept for the slot; empty at rest.
    pub ports: Vec<u16>,
    /// Where it answers; null at rest and without ports.
    pub url: Option<String>,
    /// Since when it is in this state: UTC with milliseconds.
    pub since: String,
    /// When it was last used; null before it was ready.
    pub last_used: Option<String>,
    /// Spawns since the last start from rest, less one.
    pub restarts: u32,
    /// Consecutive failures.
    pub streak: u32,
    /// So many park it.
    pub max_failures: u32,
    /// What happens next by itself; null if nothing does.
    pub next: Option<Next>,
    /// What went wrong last, while it matters.
    pub last_error: Option<String>,
}

/// The states by their names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Asked to run, not ready yet.
    Starting,
    /// Ready.
    Running,
    /// Waiting out a backoff.
    Restarting,
    /// The tree is being emptied.
    Stopping,
    /// At rest.
    Stopped,
    /// A requested start could not even spawn.
    Error,
    /// Parked by the breaker.
    Failed,
}

impl State {
    /// All of them, from what is well to what is not.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Starting,
        Self::Restarting,
        Self::Stopping,
        Self::Stopped,
        Self::Error,
        Self::Failed,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Error => "error",
            Self::Failed => "failed",
        }
    }
}

/// What a slot does next by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Next {
    /// When: UTC with milliseconds. Null where that hangs on another slot.
    pub at: Option<String>,
    /// What: `restart`, `idle stop`, `SIGKILL` …
    pub what: String,
}

/// Answers `GET /v1/slots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slots {
    /// The version.
    pub v: u8,
    /// By name.
    pub slots: Vec<SlotStatus>,
    /// What does not work as it should, such as logs that cannot be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Slots {
    /// The names of the slots in full.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.slots.iter().map(|slot| slot.slot.clone()).collect()
    }
}

/// Answers what is about one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneSlot {
    /// The version.
    pub v: u8,
    /// The slot.
    pub slot: SlotStatus,
}

/// `POST /v1/slots/{slot}/start` and `restart`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartRequest {
    /// The `worker.toml` that the slot stands in, absolute; else the one that the daemon knows for
    /// the project.
    pub config: Option<PathBuf>,
    /// The environment that the slot builds on; else that of the last start, or the daemon's own.
    pub env: Option<BTreeMap<String, String>>,
    /// Answer at once, not when it is ready.
    pub no_wait: bool,
}

/// `POST /v1/slots/{slot}/stop`, and `POST /v1/projects/{project}/down`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopRequest {
    /// Answer at once, not when its tree is gone.
    pub no_wait: bool,
}

/// `POST /v1/projects/{project}/up`: applies a configuration and starts its eager slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpRequest {
    /// The `worker.toml`, absolute.
    pub config: PathBuf,
    /// The environment that the slots build on; else the daemon's own.
    #[serde(default)]
    pub env: Option<BTreeMap<String, String>>,
    /// Answer at once, not when all are ready.
    #[serde(default)]
    pub no_wait: bool,
}

/// Answers `up`: what became of each slot of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Up {
    /// The version.
    pub v: u8,
    /// The project.
    pub project: String,
    /// By name.
    pub slots: Vec<UpSlot>,
}

/// What `up` did about one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpSlot {
    /// The name in full.
    pub slot: String,
    /// What the configuration asked for.
    pub change: Change,
    /// The slot after that; null if it is not in the configuration any more.
    pub status: Option<SlotStatus>,
    /// Why it is not as it should be.
    pub error: Option<ErrorBody>,
}

/// How a slot differs from what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Was not there before.
    New,
    /// Is not there any more: it was stopped.
    Removed,
    /// Is different: it was restarted if it ran.
    Changed,
    /// Is as it was: it was left alone if it ran.
    Unchanged,
}

/// Answers `down` and `POST /v1/shutdown`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Down {
    /// The version.
    pub v: u8,
    /// The slots that were not at rest, by their names in full.
    pub stopped: Vec<String>,
}

/// Answers `GET /v1/slots/{slot}/env`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Env {
    /// The version.
    pub v: u8,
    /// The slot.
    pub slot: String,
    /// Exactly what its run has, or what its next one would have.
    pub env: BTreeMap<String, String>,
}

/// Answers `GET /v1/ports`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ports {
    /// The version.
    pub v: u8,
    /// By number.
    pub ports: Vec<Port>,
}

/// A port that is kept for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// The number.
    pub port: u16,
    /// The slot that it is kept for.
    pub slot: String,
    /// The run.
    pub run: u64,
    /// The process that listens; null if none does or the kernel does not say.
    pub pid: Option<i32>,
    /// Its command line.
    pub command: Option<String>,
    /// Since when it is kept: UTC with milliseconds.
    pub since: String,
}

/// Answers `GET /v1/slots/{slot}/why`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// The version.
    pub v: u8,
    /// The slot as it is now.
    pub slot: SlotStatus,
    /// The ends of its latest runs, the newest first.
    pub deaths: Vec<Death>,
    /// What happens next, in words.
    pub next: String,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Death {
    /// The run.
    pub run: u64,
    /// When: UTC with milliseconds.
    pub time: String,
    /// Why, in words.
    pub cause: String,
    /// The exit code; null if there was none.
    pub code: Option<i32>,
    /// The signal that ended it; null if none did.
    pub signal: Option<String>,
    /// Whether it counts as a failure.
    pub failure: bool,
    /// From the spawn to the end; null if it was never spawned, or if nobody saw it end.
    pub uptime_ms: Option<u64>,
    /// What else is known, one sentence each: who was ended with it, memory, the kernel's word.
    pub evidence: Vec<String>,
    /// The last lines of its output.
    pub output: Vec<String>,
}

/// Answers `GET /healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The version of the bodies.
    pub v: u8,
    /// The version of `worker`.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// Its state folder.
    pub state_dir: PathBuf,
    /// What does not work as it should.
    pub warnings: Vec<String>,
}

/// Answers whatever went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorAnswer {
    /// The version.
    pub v: u8,
    /// What.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The kind, for programs.
    pub code: String,
    /// What and why, for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn a_state_has_one_name() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
