//! The traits, on a table of runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use worker_core::{Exit, Kill, RunId, Signal, Spawn, SpawnError, TreeEnd};

use crate::command::{Command, Leader};
use crate::run::Run;
use crate::spawn;

/// Spawns and ends leaders. A clone is another name for the same runs.
///
/// A run that it does not know, because it is over or never was, has an end that nobody can
/// describe: `leader_exit` gives [`Exit::Unknown`] and `tree_gone` an empty [`TreeEnd`], at once,
/// and the other methods do nothing.
#[derive(Clone, Debug, Default)]
pub struct WindowsPlatform {
    runs: Arc<Mutex<HashMap<RunId, Arc<Run>>>>,
}

impl WindowsPlatform {
    /// A platform without runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn run(&self, run: RunId) -> Option<Arc<Run>> {
        self.lock().get(&run).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Spawn for WindowsPlatform {
    type Command = Command;
    type Leader = Leader;

    async fn spawn(&self, run: RunId, command: Command) -> Result<Leader, SpawnError> {
        let spawned = spawn::spawn(&command)?;
        let leader = Leader { pid: spawned.pid() };
        self.lock().insert(run, Arc::new(spawned));
        Ok(leader)
    }

    async fn leader_exit(&self, run: RunId) -> Exit {
        match self.run(run) {
            Some(run) => run.exit().await,
            None => Exit::Unknown,
        }
    }
}

#[async_trait]
impl Kill for WindowsPlatform {
    async fn signal_tree(&self, run: RunId, signal: Signal) {
        let Some(run) = self.run(run) else { return };
        if signal == Signal::Kill {
            run.terminate();
        } else {
            run.ask_to_end();
        }
    }

    /// A no-op, as the contract says. It counts as the begin of the end of the run, as on any other
    /// system.
    async fn kill_group(&self, run: RunId) {
        if let Some(run) = self.run(run) {
            run.begin_end();
        }
    }

    async fn kill_escapees(&self, run: RunId) {
        if let Some(run) = self.run(run) {
            run.terminate();
        }
    }

    async fn release(&self, run: RunId) {
        if let Some(run) = self.run(run) {
            run.begin_end();
        }
    }

    async fn tree_gone(&self, run: RunId) -> TreeEnd {
        let Some(ending) = self.run(run) else { return TreeEnd::default() };
        let end = ending.end().await;
        self.lock().remove(&run);
        end
    }
}
