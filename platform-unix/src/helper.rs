//! Helpers: short-lived processes of a run's tree, such as exec probes.

use std::time::Duration;

use tokio::sync::oneshot;
use worker_core::{Exit, RunId, SpawnError, SpawnFailure};

use crate::Pid;
use crate::command::Command;
use crate::platform::UnixPlatform;
use crate::reaper::kill_group_of;
use crate::state::{Ending, Role, State};

/// Runs a helper to its end, or kills it with its group at the limit, or when this is dropped.
pub(crate) async fn run_helper(
    platform: &UnixPlatform,
    run: RunId,
    command: Command,
    limit: Duration,
) -> Result<Exit, SpawnError> {
    let (waiting, mut ended) = oneshot::channel();
    let pid = platform.state().spawn_helper(run, command, waiting)?;
    let guard = KillOnDrop { platform, pid };
    if let Ok(exit) = tokio::time::timeout(limit, &mut ended).await {
        return Ok(exit.unwrap_or(Exit::Unknown));
    }
    drop(guard);
    Ok(ended.await.unwrap_or(Exit::Unknown))
}

struct KillOnDrop<'a> {
    platform: &'a UnixPlatform,
    pid: Pid,
}

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        self.platform.state().kill_helper(self.pid);
    }
}

impl State {
    fn spawn_helper(
        &mut self,
        run: RunId,
        command: Command,
        waiting: oneshot::Sender<Exit>,
    ) -> Result<Pid, SpawnError> {
        let ending = self.runs.get(&run).map_or(Ending::Killing, |run| run.ending);
        if ending > Ending::NotAsked {
            let message = format!("run {run} is being ended: nothing is spawned for it any more");
            return Err(SpawnError { failure: SpawnFailure::Other, message });
        }
        self.spawn_child(run, command, Role::Helper(Some(waiting)))
    }

    /// A helper that has ended is not among our children any more, or another one has its number.
    fn kill_helper(&self, pid: Pid) {
        let child = self.children.get(&pid);
        if child.is_some_and(|child| matches!(child.role, Role::Helper(_))) {
            kill_group_of(pid);
        }
    }
}
