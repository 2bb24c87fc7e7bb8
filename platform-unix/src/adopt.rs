//! Listing our children, and telling whose the new ones are.

use std::collections::HashMap;

use worker_core::RunId;

use crate::Pid;
use crate::os;
use crate::state::{Child, Owner, Role, State};
use crate::wait;

impl State {
    /// Lists our children and attributes those that are new.
    ///
    /// Every living process of a tree hangs under one of our children, so this is a full scan,
    /// provided that nothing is reaped meanwhile: the lock around the state sees to that.
    pub(crate) fn adopt(&mut self) {
        let listed = self.own_children.now().into_iter();
        let new: Vec<_> = listed.filter(|pid| !self.children.contains_key(pid)).collect();
        if !new.is_empty() {
            self.attribute(&new);
        }
        self.just_reaped.clear();
    }

    /// Tells whose these new children are.
    pub(crate) fn attribute(&mut self, new: &[Pid]) {
        let mut owners = self.owners_by_id();
        for &pid in new {
            let ids = ids_of(pid);
            let by_leaf = self.owner_by_leaf(pid);
            let owner = by_leaf.or_else(|| self.owner_of(pid, ids, &owners));
            let owner = owner.unwrap_or_else(|| {
                report_unattributed(pid);
                Owner::Nobody
            });
            // Siblings that come after it may be known by its group or session alone.
            remember_ids(&mut owners, ids, owner);
            let (role, start, in_leaf) = (Role::Adopted, None, by_leaf.is_some());
            let child = Child { owner, ids, role, start, struck: false, in_leaf };
            self.children.insert(pid, child);
            self.unnoted.push(pid);
        }
    }

    /// Who owns the groups and sessions that our children are in. The numbers are those of
    /// processes that are not reaped, or that were a moment ago.
    fn owners_by_id(&self) -> HashMap<Pid, Owner> {
        let children = || self.children.values().chain(&self.just_reaped);
        // A process owns its number, also where one of another run joined the group of that number.
        let mut owners = children().map(|child| (child.ids[0], child.owner)).collect();
        for child in children() {
            remember_ids(&mut owners, child.ids, child.owner);
        }
        owners
    }

    /// Leaves no doubt, also where it left its group and session and wiped its environment.
    fn owner_by_leaf(&self, pid: Pid) -> Option<Owner> {
        let run = self.cgroups.as_ref().ok()?.run_of(pid)?;
        self.owner_by_run(run)
    }

    /// By descent where it was seen, else by group and session, else by the marker, else it is of
    /// the only live run.
    ///
    /// A marker of another supervisor alone says nothing. When a supervisor nested in one of our
    /// trees dies, its children fall to us; their marker then holds an entry of ours too, and
    /// without that they are treated like any process without a marker.
    fn owner_of(&self, pid: Pid, ids: [Pid; 3], owners: &HashMap<Pid, Owner>) -> Option<Owner> {
        let [_, group, session] = ids.map(|id| owners.get(&id).copied());
        let companion = group.or(session);
        // Where it is of the only live run anyway, its marker need not be read.
        let by_default = || companion.or_else(|| self.only_live_run());
        self.owner_by_descent(pid)
            .or_else(|| by_default().filter(|&owner| owner != Owner::Nobody))
            .or_else(|| self.owner_by_marker(pid))
            .or(companion)
    }

    fn owner_by_descent(&self, pid: Pid) -> Option<Owner> {
        let run = self.runs.iter().find(|(_, run)| run.known.contains(pid));
        let released = || self.released.iter().find(|(_, released)| released.known.contains(pid));
        run.map(|(&run, _)| Owner::Run(run))
            .or_else(|| released().map(|(&run, _)| Owner::Released(run)))
    }

    fn owner_by_marker(&self, pid: Pid) -> Option<Owner> {
        self.owner_by_run(self.marker.run_in(&os::environment(pid)?)?)
    }

    fn owner_by_run(&self, run: RunId) -> Option<Owner> {
        if self.runs.contains_key(&run) {
            return Some(Owner::Run(run));
        }
        self.released.contains_key(&run).then_some(Owner::Released(run))
    }

    /// As PID 1 everybody's orphans fall to us, and where a run left processes behind on purpose
    /// theirs do: then the only live run need not be the one.
    fn only_live_run(&self) -> Option<Owner> {
        let mut runs = self.runs.keys();
        let only: RunId = *runs.next()?;
        let alone = runs.next().is_none() && self.released.is_empty() && std::process::id() != 1;
        alone.then_some(Owner::Run(only))
    }
}

/// The number of a child of ours (0: our own), with the group and the session it is in. These are 0
/// where they come from outside of our PID namespace, as for PID 1 of a container.
pub(crate) fn ids_of(pid: Pid) -> [Pid; 3] {
    // SAFETY: both calls take a number and return a number. rustix has them too, but takes 0 for
    // impossible.
    let (group, session) = unsafe { (libc::getpgid(pid), libc::getsid(pid)) };
    [pid, group, session]
}

/// Leaves out what we share with our children: our own group and session tell nobody apart. Nor do
/// those that cannot be told (-1).
fn remember_ids(owners: &mut HashMap<Pid, Owner>, ids: [Pid; 3], owner: Owner) {
    let shared = ids_of(0);
    for id in ids.into_iter().filter(|&id| id > 0 && !shared.contains(&id)) {
        // A process that belongs to nobody must not take a run's group for itself.
        let entry = owners.entry(id).or_insert(owner);
        if *entry == Owner::Nobody {
            *entry = owner;
        }
    }
}

fn report_unattributed(pid: Pid) {
    if wait::peek(pid).is_some() {
        return; // It is dead already.
    }
    tracing::warn!(
        "an orphan (pid {pid}) fell to us that cannot be attributed to a run: it left its group \
         and session, and its environment does not name its run; it is ended at shutdown"
    );
}
