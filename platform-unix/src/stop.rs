//! Signals that leave a tree its choice.

use std::collections::{HashMap, HashSet};

use rustix::process::Signal;
use worker_core::RunId;

use crate::Pid;
use crate::adopt::ids_of;
use crate::os::{self, ChildList, Family, Process};
use crate::reaper::{signal_child, signal_group};
use crate::signal::native;
use crate::state::{Ending, Owner, State};
use crate::tree::{children_among, children_of};

/// A tree that answers a signal by forking would keep us here for ever. What it forks after so many
/// looks is left to the grace.
const LOOKS: usize = 4;

/// A tree that is being signalled.
struct Reach {
    run: RunId,
    group: Option<Pid>,
    signals: Vec<Signal>,
    /// What was in its leaf before.
    in_leaf: Vec<Process>,
    /// The children of ours that had the signals.
    roots: HashSet<Pid>,
    /// What below them had the signals.
    below: HashSet<(Pid, u64)>,
}

impl State {
    /// Asks for [`signal_asked`](Self::signal_asked) with this signal.
    pub(crate) fn ask_to_signal(&mut self, id: RunId, signal: worker_core::Signal) {
        self.to_signal.push((id, signal));
    }

    /// The signal that was asked for, then SIGCONT, once to every process of each tree that it was
    /// asked for.
    pub(crate) fn signal_asked(&mut self) {
        let asked = std::mem::take(&mut self.to_signal);
        if asked.is_empty() {
            return; // Somebody else has done it.
        }
        self.settle();
        let native = asked.into_iter().filter_map(|(id, signal)| self.begin_stop(id, signal));
        let native: Vec<_> = native.collect();
        self.signal_trees(native);
        self.settle();
    }

    fn begin_stop(
        &mut self,
        id: RunId,
        signal: worker_core::Signal,
    ) -> Option<(RunId, Vec<Signal>)> {
        let run = self.runs.get_mut(&id)?;
        run.ending = run.ending.max(Ending::Signalled);
        let Some(signal) = native(signal) else {
            tracing::warn!("this system has no signal {signal}: it is not sent");
            return None;
        };
        Some((id, vec![signal, Signal::CONT]))
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
        let runs = self.runs.keys().map(|&run| (run, vec![signal])).collect();
        self.signal_trees(runs);
    }

    /// The signals, once to every process of each tree: to the group as a whole, then one by one to
    /// whatever left it. The trees share the looks at our children, which take longer the more there
    /// are. One may be asked for twice, with two signals.
    fn signal_trees(&mut self, asked: Vec<(RunId, Vec<Signal>)>) {
        let roots = self.roots_by_run();
        let begin = |(run, signals)| {
            self.begin_reach(run, signals, roots.get(&run).map_or(&[], Vec::as_slice))
        };
        let mut open: Vec<Reach> = asked.into_iter().map(begin).collect();
        let mut done = Vec::new();
        for _ in 1..LOOKS {
            self.adopt();
            let (family, roots) = (Family::now(), self.roots_by_run());
            let found_more = |reach: &mut Reach| {
                reach.look(&family, roots.get(&reach.run).map_or(&[], Vec::as_slice))
            };
            done.extend(open.extract_if(.., |reach| !found_more(reach)));
            if open.is_empty() {
                break;
            }
        }
        done.iter().chain(&open).for_each(Reach::signal_strays);
    }

    /// Remembers the tree, signals its group, and has a first look at what left that.
    fn begin_reach(&mut self, run: RunId, signals: Vec<Signal>, roots: &[Pid]) -> Reach {
        let (roots, below) = (roots.iter().copied().collect(), HashSet::new());
        let (group, in_leaf) = (self.own_group(run), self.in_leaf(run));
        let mut reach = Reach { run, group, signals, in_leaf, roots, below };
        let living = reach.roots.iter().copied().filter(|&root| !self.is_held(root));
        // One alone, since there may be more orphans than descriptors.
        let list = |root| if Some(root) == group { ChildList::open(root) } else { None };
        let lists: Vec<_> = living.map(|root| (root, list(root))).collect();
        let children_of_root = |family: &Family, (root, list): &(Pid, Option<ChildList>)| {
            let listed = list.as_ref().map_or_else(|| family.children(*root), ChildList::now);
            children_among(listed, *root)
        };
        let children = |family: &Family| -> Vec<Process> {
            lists.iter().flat_map(|root| children_of_root(family, root)).collect()
        };
        self.remember_tree(run, children);
        reach.signal_roots();
        let family = Family::now();
        reach.descend(&family, children(&family));
        reach
    }

    /// The children of ours that belong to each run.
    fn roots_by_run(&self) -> HashMap<RunId, Vec<Pid>> {
        let mut roots: HashMap<RunId, Vec<Pid>> = HashMap::new();
        for (&pid, child) in &self.children {
            if let Owner::Run(run) = child.owner {
                roots.entry(run).or_default().push(pid);
            }
        }
        roots
    }
}

impl Reach {
    /// What is not reaped has its number for itself.
    fn signal_roots(&self) {
        if let Some(group) = self.group {
            signal_group(group, &self.signals);
        }
        let outside = |&root: &Pid| Some(ids_of(root)[1]) != self.group;
        self.roots
            .iter()
            .copied()
            .filter(outside)
            .for_each(|root| signal_child(root, &self.signals));
    }

    /// One more look, at roots that have turned up. Answers whether there were any.
    ///
    /// Children that turn up under a process that had the signals already are its answer to them, and
    /// are left alone; orphans are not.
    fn look(&mut self, family: &Family, roots: &[Pid]) -> bool {
        let new: Vec<Pid> = roots.iter().copied().filter(|&root| self.roots.insert(root)).collect();
        self.descend(family, new.iter().copied().filter_map(os::process).collect());
        !new.is_empty()
    }

    /// Top down: a process is signalled, and right after that its children are listed, so none that
    /// it forked before is missed.
    fn descend(&mut self, family: &Family, mut open: Vec<Process>) {
        while let Some(process) = open.pop() {
            if self.below.insert(identity(&process)) {
                if Some(process.group) != self.group && process.alive {
                    os::signal_pinned(&process, &self.signals);
                }
                open.extend(children_of(family, &process));
            }
        }
    }

    /// To what is in the leaf and hangs under nothing of ours.
    fn signal_strays(&self) {
        let is_reached = |process: &Process| {
            self.roots.contains(&process.pid) || self.below.contains(&identity(process))
        };
        let strays = self.in_leaf.iter().filter(|process| !is_reached(process));
        for process in strays.filter(|process| Some(process.group) != self.group && process.alive) {
            os::signal_pinned(process, &self.signals);
        }
    }
}

fn identity(process: &Process) -> (Pid, u64) {
    (process.pid, process.start)
}
