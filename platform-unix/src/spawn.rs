//! Spawning.

use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command as StdCommand, Stdio};
use std::sync::Arc;

use rustix::process::{Rlimit, Signal};
use worker_core::{RunId, SpawnError, SpawnFailure, TreeEnd};

use crate::Pid;
use crate::cgroup::Group;
use crate::command::{Command, Input, Output};
use crate::failure;
use crate::limits::limit_open_files;
use crate::marker::MARKER;
use crate::mask::Blocked;
use crate::os;
use crate::platform::UnixPlatform;
use crate::reaper::signal_child;
use crate::shim::{Report, Target};
use crate::state::{Child, Ending, Known, Owner, Role, Run, State};
use crate::wait;

/// A child that was spawned.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) pid: Pid,
    /// Where it is a shim as yet.
    report: Option<Report>,
}

impl UnixPlatform {
    /// Spawns the leader of a run, and answers when its program is executed.
    pub(crate) async fn spawn_leader(
        &self,
        run: RunId,
        command: &Command,
    ) -> Result<Pid, SpawnError> {
        let spawned = self.state().spawn_leader(run, command)?;
        let pid = spawned.pid;
        let executed = self.see_executed(run, spawned, command).await;
        if executed.is_err() {
            self.state().withdraw(run);
        }
        executed.map(|()| pid)
    }

    /// Waits until the program of a child is executed, or fails to be.
    pub(crate) async fn see_executed(
        &self,
        run: RunId,
        spawned: Spawned,
        command: &Command,
    ) -> Result<(), SpawnError> {
        let Some(report) = spawned.report else { return Ok(()) };
        let outcome = report.outcome().await;
        if let Some(error) = outcome.not_executed {
            return Err(failure::explain(&command.program, &command.dir, &error));
        }
        self.state().see_entered(run, spawned.pid, outcome.not_entered);
        Ok(())
    }
}

impl State {
    fn spawn_leader(&mut self, id: RunId, command: &Command) -> Result<Spawned, SpawnError> {
        if self.runs.contains_key(&id) {
            let message = format!("the tree of run {id} is not gone: it cannot be spawned again");
            return Err(SpawnError { failure: SpawnFailure::Other, message });
        }
        let mut leaf = self.cgroups.as_mut().ok().and_then(|cgroups| cgroups.make_leaf(id));
        let group = leaf.as_ref().map(|leaf| leaf.group().clone());
        if let Some(limit) = command.task_limit {
            self.limit_tasks(group.as_ref(), limit);
        }
        let spawned = self.spawn_child(id, command, Role::Leader, group.as_ref());
        let is_entering = spawned.as_ref().is_ok_and(|spawned| spawned.report.is_some());
        if !is_entering {
            self.retire(leaf.take());
        }
        let spawned = spawned?;
        let run = Run {
            leader: spawned.pid,
            exit: None,
            ending: Ending::NotAsked,
            killed: 0,
            known: Known::default(),
            leaf,
        };
        self.runs.insert(id, Box::new(run));
        self.answers.insert(id, Arc::default());
        Ok(spawned)
    }

    /// Spawns a child that leads a process group of its own: into this cgroup, or without one if
    /// that cannot be.
    pub(crate) fn spawn_child(
        &mut self,
        run: RunId,
        command: &Command,
        role: Role,
        group: Option<&Group>,
    ) -> Result<Spawned, SpawnError> {
        let before = os::start_now();
        let into_group = group.map(|group| self.spawn_into(group, run, command));
        let spawned = match into_group {
            Some(Ok(spawned)) => Ok(spawned),
            Some(Err(error)) => self.spawn_plain(run, command).inspect(|_| self.complain(&error)),
            None => self.spawn_plain(run, command),
        };
        let spawned =
            spawned.map_err(|error| failure::explain(&command.program, &command.dir, &error))?;
        let (owner, ids) = (Owner::Run(run), [spawned.pid; 3]);
        let start = self.start_clock.start_of(spawned.pid, before);
        let child = Child { owner, ids, role, start, struck: false, in_leaf: false };
        self.children.insert(spawned.pid, child);
        self.unnoted.push(spawned.pid);
        self.note_new();
        Ok(spawned)
    }

    fn spawn_plain(&mut self, run: RunId, command: &Command) -> io::Result<Spawned> {
        let (marker, open_files) = (self.marker.value(run), self.child_open_files);
        let pid = match &mut self.vfork {
            Some(vfork) => vfork.spawn(command, &marker, open_files)?,
            None => posix_spawn(command, &marker, open_files)?,
        };
        Ok(Spawned { pid, report: None })
    }

    fn spawn_into(&self, group: &Group, run: RunId, command: &Command) -> io::Result<Spawned> {
        let Ok(cgroups) = &self.cgroups else { return Err(io::ErrorKind::Unsupported.into()) };
        let marker = (MARKER.into(), self.marker.value(run));
        let variables = command.variables().cloned().chain([marker]);
        let env = variables.map(|(name, value)| joined(name, &value)).collect();
        let target = Target { program: &command.program, env, args: &command.args };
        let complete = |shim: &mut StdCommand| complete(shim, command);
        let (pid, report) = cgroups.shim.spawn(group, &target, complete)?;
        limit_open_files(pid, self.child_open_files);
        Ok(Spawned { pid, report: Some(report) })
    }

    /// A child has executed its program.
    fn see_entered(&mut self, run: RunId, pid: Pid, not_entered: Option<io::Error>) {
        let Some(error) = not_entered else {
            let child = self.children.get_mut(&pid);
            if let Some(child) = child.filter(|child| child.owner == Owner::Run(run)) {
                child.in_leaf = true;
            }
            return;
        };
        self.complain(&error);
        let leaf = self.runs.get_mut(&run).filter(|run| run.leader == pid);
        let leaf = leaf.and_then(|run| run.leaf.take());
        self.retire(leaf);
    }

    /// Undoes the spawn of a leader that was a shim and did not get further.
    fn withdraw(&mut self, id: RunId) {
        if let Entry::Occupied(run) = self.runs.entry(id) {
            let run = run.remove();
            signal_child(run.leader, &[Signal::KILL]);
            wait::reap_soon(run.leader);
            self.note_reaped(run.leader);
            self.children.remove(&run.leader);
            self.retire(run.leaf);
        }
        if let Some(answers) = self.answers.remove(&id) {
            answers.end.set(TreeEnd::default());
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if let Ok(cgroups) = &mut self.cgroups {
            cgroups.complain(error);
        }
    }
}

/// Nothing here makes std leave its `posix_spawn` path: no `pre_exec`, no user or group, and no program
/// that has to be looked up. So the cost does not grow with our memory, though it does with what we
/// have open.
///
/// Signals that we handle are reset by exec, and std resets SIGPIPE, which it ignores itself. One that
/// was ignored when we were started (nohup) stays ignored.
fn posix_spawn(command: &Command, marker: &OsStr, open_files: Option<Rlimit>) -> io::Result<Pid> {
    let mut prepared = StdCommand::new(&command.program);
    let env = command.variables().map(|(name, value)| (name, value));
    prepared.args(&command.args).env_clear().envs(env).env(MARKER, marker);
    complete(&mut prepared, command)?;
    // std does not reap a child that is dropped, and holds on to nothing else of it.
    let child = {
        // std hands our mask on to the child.
        let _unblocked = Blocked::none();
        prepared.spawn()?
    };
    let pid = Pid::try_from(child.id()).unwrap_or_default();
    limit_open_files(pid, open_files);
    Ok(pid)
}

fn joined(mut name: OsString, value: &OsString) -> OsString {
    name.push("=");
    name.push(value);
    name
}

/// What a program and a shim have in common.
fn complete(prepared: &mut StdCommand, command: &Command) -> io::Result<()> {
    prepared
        .current_dir(&command.dir)
        .process_group(0)
        .stdin(input(command.stdin))
        .stdout(output(&command.stdout)?)
        .stderr(output(&command.stderr)?);
    Ok(())
}

fn input(input: Input) -> Stdio {
    match input {
        Input::Null => Stdio::null(),
        Input::Inherit => Stdio::inherit(),
    }
}

fn output(output: &Output) -> io::Result<Stdio> {
    match output {
        Output::Inherit => Ok(Stdio::inherit()),
        Output::Null => Ok(Stdio::null()),
        Output::Pipe(writer) => writer.try_clone().map(Stdio::from),
    }
}
