//! Walking trees.

use worker_core::RunId;

use crate::Pid;
use crate::os::{self, Family, Process};
use crate::state::{Owner, State};

impl State {
    /// The living processes of a run, each after its parent.
    pub(crate) fn members(&self, run: RunId) -> Vec<Process> {
        let family = Family::now();
        let mut members: Vec<_> = self.roots(run).into_iter().filter_map(os::process).collect();
        members.extend(self.strays(run, &members));
        members.retain(|process| process.alive);
        let mut next = 0;
        while let Some(&parent) = members.get(next) {
            members.extend(children_of(&family, &parent));
            next += 1;
        }
        members.retain(|process| process.alive);
        members
    }

    /// The children of ours that belong to the run: everything else of it hangs under them.
    pub(crate) fn roots(&self, run: RunId) -> Vec<Pid> {
        self.children_of(Owner::Run(run))
    }

    /// Members of the leader's group that do not hang under a root, where the system does not give
    /// orphans to us.
    fn strays(&self, run: RunId, found: &[Process]) -> Vec<Process> {
        let group = self.runs.get(&run).map(|run| os::strays_of_group(run.leader));
        let mut strays = group.unwrap_or_default();
        strays.retain(|stray| !found.iter().any(|process| process.pid == stray.pid));
        strays
    }

    /// Whether nothing of the run is left but its leader.
    pub(crate) fn is_empty(&self, run: RunId) -> bool {
        let Some(state) = self.runs.get(&run) else { return true };
        let released = state.ending == crate::state::Ending::Released;
        released
            || self.roots(run).iter().all(|&pid| pid == state.leader)
                && os::strays_of_group(state.leader).is_empty()
    }
}

/// The children of a process, with those left out whose number has come to mean another process
/// since they were listed.
pub(crate) fn children_of(family: &Family, parent: &Process) -> Vec<Process> {
    let children = family.children(parent.pid).into_iter().filter_map(os::process);
    children.filter(|child| child.parent == parent.pid).collect()
}
