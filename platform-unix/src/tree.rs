//! Walking trees.

use std::collections::HashSet;

use worker_core::RunId;

use crate::Pid;
use crate::cgroup::Group;
use crate::os::{self, Family, Process};
use crate::state::{Owner, State};

impl State {
    /// The living processes of a run, each after its parent. What is in its leaf and hangs under
    /// nothing of ours comes last.
    pub(crate) fn members(&self, run: RunId) -> Vec<Process> {
        let roots = self.living_roots(run).into_iter();
        let mut members: Vec<_> = roots.filter_map(os::process).collect();
        members.extend(self.strays(run));
        let mut members = with_descendants(&Family::now(), members);
        members.extend(self.in_leaf(run));
        let mut seen = HashSet::new();
        members.retain(|process| process.alive && seen.insert(process.pid));
        members
    }

    /// The group of the leader, while that is not reaped: the number is its own until then.
    pub(crate) fn own_group(&self, id: RunId) -> Option<Pid> {
        let leader = self.runs.get(&id)?.leader;
        self.children.get(&leader)?.leads(id).then_some(leader)
    }

    /// The children of ours that belong to the run, but for a dead leader: everything else of it
    /// hangs under them.
    pub(crate) fn living_roots(&self, run: RunId) -> Vec<Pid> {
        let mut roots = self.children_of(Owner::Run(run));
        roots.retain(|&root| !self.is_held(root));
        roots
    }

    /// Living processes of the run that do not hang under a root, where the system does not give
    /// orphans to us.
    pub(crate) fn strays(&self, run: RunId) -> Vec<Process> {
        let Some(run) = self.runs.get(&run) else { return Vec::new() };
        os::strays(run.leader, &run.known)
    }

    /// The living processes in the leaf of the run, in no order.
    pub(crate) fn in_leaf(&self, run: RunId) -> Vec<Process> {
        let pids = self.group_of(run).map(Group::processes).unwrap_or_default();
        pids.into_iter().filter_map(os::process).collect()
    }

    /// Whether nothing of the run is left but its leader.
    pub(crate) fn is_empty(&self, id: RunId) -> bool {
        let mut members = self.children.values().filter(|child| child.owner == Owner::Run(id));
        members.all(|child| child.leads(id))
            && self.strays(id).is_empty()
            && !self.group_of(id).is_some_and(Group::is_populated)
    }
}

/// These processes, then everything below them, each after its parent.
pub(crate) fn with_descendants(family: &Family, mut found: Vec<Process>) -> Vec<Process> {
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(children_of(family, &parent));
        next += 1;
    }
    found
}

/// The children of a process, with those left out whose number has come to mean another process
/// since they were listed. A dead process has none.
pub(crate) fn children_of(family: &Family, parent: &Process) -> Vec<Process> {
    if !parent.alive {
        return Vec::new();
    }
    children_of_number(family, parent.pid)
}

pub(crate) fn children_of_number(family: &Family, parent: Pid) -> Vec<Process> {
    children_among(family.children(parent), parent)
}

/// Those of the processes that are children of this one by now.
pub(crate) fn children_among(listed: Vec<Pid>, parent: Pid) -> Vec<Process> {
    let children = listed.into_iter().filter_map(os::process);
    children.filter(|child| child.parent == parent).collect()
}
