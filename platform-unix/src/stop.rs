//! Signals that leave a tree its choice.

use std::collections::HashSet;

use rustix::process::Signal;
use worker_core::RunId;

use crate::Pid;
use crate::os::{self, Family, Process};
use crate::reaper::signal_group;
use crate::signal::native;
use crate::state::{Ending, State};
use crate::tree::children_of;

/// A tree that answers a signal by forking would keep us here for ever. What it forks after so many
/// looks is left to the grace.
const LOOKS: usize = 4;

impl State {
    /// Asks for [`signal_asked`](Self::signal_asked) with this signal.
    pub(crate) fn ask_to_signal(&mut self, id: RunId, signal: worker_core::Signal) {
        self.to_signal.push((id, signal));
    }

    /// The signal that was asked for, then SIGCONT, once to every process of each tree that it was
    /// asked for. All trees share the looks at our children, which take longer the more there are.
    pub(crate) fn signal_asked(&mut self) {
        let asked = std::mem::take(&mut self.to_signal);
        if asked.is_empty() {
            return; // Somebody else has done it.
        }
        self.settle();
        asked.into_iter().for_each(|(id, signal)| self.signal_run(id, signal));
        self.settle();
    }

    fn signal_run(&mut self, id: RunId, signal: worker_core::Signal) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.ending = run.ending.max(Ending::Signalled);
        match native(signal) {
            Some(signal) => self.signal_each(id, &[signal, Signal::CONT]),
            None => tracing::warn!(%signal, "this system has no such signal: it is not sent"),
        }
    }

    /// A signal to the group of the leader, while that is not reaped.
    pub(crate) fn forward(&self, run: RunId, signal: worker_core::Signal) {
        if let (Some(group), Some(signal)) = (self.own_group(run), native(signal)) {
            signal_group(group, &[signal]);
        }
    }

    /// A signal to every process of every run.
    pub(crate) fn signal_all(&mut self, signal: Signal) {
        self.settle();
        let runs: Vec<_> = self.runs.keys().copied().collect();
        runs.into_iter().for_each(|run| self.signal_each(run, &[signal]));
    }

    /// The signals, once to every process of the tree: to the group as a whole, then one by one to
    /// whatever left it.
    fn signal_each(&mut self, run: RunId, signals: &[Signal]) {
        let group = self.own_group(run);
        self.remember_tree(run);
        let in_leaf = self.in_leaf(run);
        if let Some(group) = group {
            signal_group(group, signals);
        }
        let mut reached = HashSet::new();
        for _ in 0..LOOKS {
            let before = reached.len();
            self.signal_outside_group(run, group, signals, &mut reached);
            if reached.len() == before {
                break;
            }
            self.adopt();
        }
        // What hangs under nothing of ours. What was forked since is left alone, as above.
        let strays = in_leaf.iter().filter(|process| !reached.contains(&identity(process)));
        for process in strays.filter(|process| Some(process.group) != group && process.alive) {
            os::signal_pinned(process, signals);
        }
    }

    /// One look at the tree, top down: a process is signalled, and right after that its children
    /// are listed, so none that it forked before is missed. Children that turn up in a later look
    /// under a process that had the signal already are its answer to it, and are left alone; orphans
    /// that turn up are not.
    fn signal_outside_group(
        &self,
        run: RunId,
        group: Option<Pid>,
        signals: &[Signal],
        reached: &mut HashSet<(Pid, u64)>,
    ) {
        let family = Family::now();
        let mut open: Vec<Process> = self.roots(run).into_iter().filter_map(os::process).collect();
        open.retain(|process| !reached.contains(&identity(process)));
        while let Some(process) = open.pop() {
            reached.insert(identity(&process));
            if Some(process.group) != group && process.alive {
                os::signal_pinned(&process, signals);
            }
            open.extend(children_of(&family, &process));
        }
    }
}

fn identity(process: &Process) -> (Pid, u64) {
    (process.pid, process.start)
}
