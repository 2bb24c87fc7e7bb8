//! Spawning.

use std::os::unix::process::CommandExt;
use std::process::{Child as StdChild, Command as StdCommand, Stdio};
use std::sync::Arc;

use worker_core::{RunId, SpawnError, SpawnFailure};

use crate::Pid;
use crate::command::{Command, Input, Leader, Output};
use crate::descriptors::with_empty_signal_mask;
use crate::failure;
use crate::marker::{MARKER, is_marker};
use crate::state::{Child, Ending, Known, Owner, Role, Run, State};

impl State {
    /// Spawns the leader of a run.
    pub(crate) fn spawn_leader(
        &mut self,
        id: RunId,
        command: Command,
    ) -> Result<Leader, SpawnError> {
        if self.runs.contains_key(&id) {
            let message = format!("the tree of run {id} is not gone: it cannot be spawned again");
            return Err(SpawnError { failure: SpawnFailure::Other, message });
        }
        let pid = self.spawn_child(id, command, Role::Leader)?;
        let run = Run {
            leader: pid,
            exit: None,
            ending: Ending::NotAsked,
            killed: 0,
            known: Known::default(),
        };
        self.runs.insert(id, run);
        self.answers.insert(id, Arc::default());
        Ok(Leader { pid })
    }

    /// Spawns a child that leads a process group of its own.
    pub(crate) fn spawn_child(
        &mut self,
        run: RunId,
        command: Command,
        role: Role,
    ) -> Result<Pid, SpawnError> {
        let (program, dir) = (command.program.clone(), command.dir.clone());
        let mut command = self.prepare(run, command);
        // std does not reap a child that is dropped, and holds on to nothing else of it.
        let spawned = with_empty_signal_mask(|| command.spawn()).map(|child: StdChild| child.id());
        let pid = spawned.map_err(|error| failure::explain(&program, &dir, &error))?;
        let pid = Pid::try_from(pid).unwrap_or_default();
        let child = Child { owner: Owner::Run(run), ids: [pid; 3], role, struck: false };
        self.children.insert(pid, child);
        Ok(pid)
    }

    /// Nothing here makes std leave its `posix_spawn` path: no `pre_exec`, no user or group, and
    /// no program that has to be looked up. So the cost does not grow with our memory.
    ///
    /// Signals that we handle are reset by exec, and std resets SIGPIPE, which it ignores itself.
    /// One that was ignored when we were started (nohup) stays ignored.
    fn prepare(&self, run: RunId, command: Command) -> StdCommand {
        let mut prepared = StdCommand::new(&command.program);
        prepared
            .args(command.args)
            .env_clear()
            .envs(command.env.into_iter().filter(|(name, _)| !is_marker(name)))
            .env(MARKER, self.marker.value(run))
            .current_dir(command.dir)
            .process_group(0)
            .stdin(input(command.stdin))
            .stdout(output(command.stdout))
            .stderr(output(command.stderr));
        prepared
    }
}

fn input(input: Input) -> Stdio {
    match input {
        Input::Null => Stdio::null(),
        Input::Inherit => Stdio::inherit(),
    }
}

fn output(output: Output) -> Stdio {
    match output {
        Output::Inherit => Stdio::inherit(),
        Output::Null => Stdio::null(),
        Output::Pipe(writer) => writer.into(),
    }
}
