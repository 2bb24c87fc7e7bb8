//! The configuration as a checked value.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use worker_core::Spec;

use super::name::Name;
use super::text::Text;

/// A project's slots and templates, which hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name of the project.
    pub project: Name,
    /// The folder of `worker.toml`, absolute.
    pub folder: PathBuf,
    /// The slots by name.
    pub slots: BTreeMap<Name, Arc<Slot>>,
    /// The templates of slots by name.
    pub templates: BTreeMap<Name, Arc<Slot>>,
}

/// A slot, or a template of slots, with every default in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The program and its arguments; never empty.
    pub command: Vec<Text>,
    /// The folder to run in, absolute.
    pub dir: Text,
    /// Environment variables. They win over those of the files.
    pub env: BTreeMap<String, Text>,
    /// Files of environment variables, absolute. Later ones win.
    pub env_files: Vec<Text>,
    /// What to run once per slot and folder before the first start; empty for nothing.
    pub prepare: Vec<Text>,
    /// When it is started. A template is always on demand.
    pub start: Start,
    /// The slots that must be ready before, each named once: `db`, or `db@{id}` for an instance.
    pub depends_on: Vec<Text>,
    /// How to see that it is ready; none if it is so as soon as it is spawned.
    pub ready: Option<Look>,
    /// How to see that it is still well; none if nobody looks.
    pub alive: Option<Box<Liveness>>,
    /// How many processes and threads its tree may have.
    pub task_limit: Option<u32>,
    /// The policies.
    pub spec: Spec,
}

/// When a slot is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Start {
    /// By `worker up`.
    Eager,
    /// When it is asked for.
    OnDemand,
}

/// What a probe looks at, before placeholders have values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// A GET of `/path`, `:port` or `:port/path` is answered.
    Http(Text),
    /// A port is listened on: the slot's first one, or this one.
    Tcp(Option<Text>),
    /// A line of the output matches this regular expression, which is a good one.
    Log(String),
    /// This command exits with 0.
    Exec(Vec<Text>),
    /// `READY=1` arrives at the notify socket.
    Notify,
}

/// Liveness. How many failures are one too many stands in the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// What to look at.
    pub look: Look,
    /// How often.
    pub every: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}
