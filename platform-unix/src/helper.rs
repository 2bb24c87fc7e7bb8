//! Helpers: short-lived processes of a run's tree, such as exec probes.

use std::time::Duration;

use tokio::sync::oneshot;
use worker_core::{Exit, RunId, SpawnError, SpawnFailure};

use crate::Pid;
use crate::command::Command;
use crate::platform::UnixPlatform;
use crate::reaper::kill_group_of;
use crate::spawn::Spawned;
use crate::state::{Ending, Role, State};

/// Runs a helper to its end, or kills it with its group at the limit, or when this is dropped.
pub(crate) async fn run_helper(
    platform: &UnixPlatform,
    run: RunId,
    command: Command,
    limit: Duration,
) -> Result<Exit, SpawnError> {
    let mut helper = Helper::spawn(platform, run, &command).await?;
    drop(command); // Its ends of pipes are the helper's alone.
    if let Ok(exit) = tokio::time::timeout(limit, &mut helper.ended).await {
        return Ok(exit.unwrap_or(Exit::Unknown));
    }
    helper.kill();
    Ok((&mut helper.ended).await.unwrap_or(Exit::Unknown))
}

struct Helper<'a> {
    platform: &'a UnixPlatform,
    pid: Pid,
    ended: oneshot::Receiver<Exit>,
}

impl<'a> Helper<'a> {
    async fn spawn(
        platform: &'a UnixPlatform,
        run: RunId,
        command: &Command,
    ) -> Result<Self, SpawnError> {
        let (ends, ended) = oneshot::channel();
        let spawned = platform.state().spawn_helper(run, command, ends)?;
        let helper = Self { platform, pid: spawned.pid, ended };
        platform.see_executed(run, spawned, command).await?;
        Ok(helper)
    }

    /// Kills its group, if it is not reaped.
    fn kill(&mut self) {
        let _nothing_is_reaped_meanwhile = self.platform.state();
        // Its end is told when it is reaped. Until then its number is its own.
        if !self.ended.is_terminated() && self.ended.is_empty() {
            kill_group_of(self.pid);
        }
    }
}

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

impl State {
    fn spawn_helper(
        &mut self,
        run: RunId,
        command: &Command,
        waiting: oneshot::Sender<Exit>,
    ) -> Result<Spawned, SpawnError> {
        let ending = self.runs.get(&run).map_or(Ending::Killing, |run| run.ending);
        if ending > Ending::NotAsked {
            let message = format!("run {run} is being ended: nothing is spawned for it any more");
            return Err(SpawnError { failure: SpawnFailure::Other, message });
        }
        let group = self.group_of(run).cloned();
        self.spawn_child(run, command, Role::Helper(Some(waiting)), group.as_ref())
    }
}
