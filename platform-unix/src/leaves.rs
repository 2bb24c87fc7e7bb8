//! The leaves of runs: seeing them get empty where no child of ours tells, and removing them.

use worker_core::RunId;

use crate::cgroup::{Cgroups, Group, Leaf};
use crate::state::{Ending, Owner, State};

impl State {
    /// The cgroup of a run.
    pub(crate) fn group_of(&self, run: RunId) -> Option<&Group> {
        self.runs.get(&run)?.leaf.as_ref().map(Leaf::group)
    }

    /// Carries on with leaves that are being emptied.
    pub(crate) fn watch_leaves(&mut self) {
        let Ok(cgroups) = &mut self.cgroups else { return };
        cgroups.remove_retired();
        let children = &self.children;
        let has_children = |owner, but| {
            children.iter().any(|(&pid, child)| child.owner == owner && Some(pid) != but)
        };
        for (&id, run) in self.runs.iter_mut().filter(|(_, run)| run.leaf.is_some()) {
            // The death of a child is told to us anyway.
            let is_alone = |leader| !has_children(Owner::Run(id), Some(leader));
            if run.ending == Ending::Killing {
                finish_killing(&mut run.leaf, is_alone(run.leader), cgroups);
            } else if run.may_be_over() && is_alone(run.leader) {
                watch(&mut run.leaf, cgroups);
            }
        }
        for (&id, released) in &mut self.released {
            if !has_children(Owner::Released(id), None) {
                watch(&mut released.leaf, cgroups);
            }
        }
    }

    /// Removes a leaf that is done with.
    pub(crate) fn retire(&mut self, leaf: Option<Leaf>) {
        if let (Some(leaf), Ok(cgroups)) = (leaf, &mut self.cgroups) {
            cgroups.retire(leaf);
        }
    }
}

/// A child of ours that left the leaf is not killed before the leaf is empty, so that is watched.
/// Once none is left, what is in the leaf has entered it since.
fn finish_killing(leaf: &mut Option<Leaf>, is_alone: bool, cgroups: &Cgroups) {
    if let Some(leaf) = leaf.as_ref().filter(|leaf| is_alone && leaf.is_populated()) {
        let _ = leaf.group().kill(); // It is watched all the same.
    }
    watch(leaf, cgroups);
}

fn watch(leaf: &mut Option<Leaf>, cgroups: &Cgroups) {
    if let Some(leaf) = leaf.as_mut().filter(|leaf| leaf.is_populated()) {
        leaf.watch(&cgroups.empty_leaves);
    }
}

/// What was left behind on purpose lives on where this process is: a folder of a supervisor that is
/// gone is emptied, by its guardian or at the next start.
impl Drop for State {
    fn drop(&mut self) {
        let Ok(cgroups) = &mut self.cgroups else { return };
        for leaf in self.released.drain().filter_map(|(_, released)| released.leaf) {
            cgroups.move_out(&leaf);
            cgroups.retire(leaf);
        }
    }
}
