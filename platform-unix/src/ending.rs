//! Ending trees: the group kill, the escapees, and the release of what may live on.

use rustix::process::Signal;
use tokio::sync::watch;
use worker_core::RunId;

use crate::Pid;
use crate::adopt::ids_of;
use crate::cgroup::Leaf;
use crate::os::{self, Family, Process};
use crate::reaper::{kill_group_of, signal_child};
use crate::state::{Child, Ending, Known, Owner, Released, State, Unattributed};
use crate::tree::{children_of_number, with_descendants};

impl State {
    /// One SIGKILL to the group of the leader, which is not reaped; never a second one.
    pub(crate) fn kill_group(&mut self, id: RunId) {
        self.notice_exit(id);
        let Some(group) = self.own_group(id) else { return };
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.ending >= Ending::GroupKilled {
            return;
        }
        run.ending = Ending::GroupKilled;
        if self.is_just_a_dead_leader(id) {
            kill_group_of(group);
        } else {
            let roots = self.living_roots(id).into_iter();
            self.remember_tree(id, |family| {
                roots.flat_map(|root| children_of_number(family, root)).collect()
            });
            kill_group_of(group);
            self.adopt();
        }
        self.carry_on();
    }

    /// Whether the last listing of our children, which is younger than any death that we know of,
    /// found nothing else of the run. What does not live cannot have forked since, so there is
    /// nothing to look for again.
    fn is_just_a_dead_leader(&self, id: RunId) -> bool {
        self.runs.get(&id).is_some_and(|run| run.exit.is_some()) && self.is_empty(id)
    }

    /// A leader that died by itself is not one that we killed.
    fn notice_exit(&mut self, run: RunId) {
        if self.runs.get(&run).is_some_and(|run| run.exit.is_none()) {
            self.settle();
        }
    }

    /// SIGKILL to whatever is left of the run, and from here on to whatever shows up.
    pub(crate) fn kill_escapees(&mut self, run: RunId) {
        let Some(state) = self.runs.get_mut(&run) else { return };
        state.ending = Ending::Killing;
        if let Some(leaf) = &state.leaf {
            let _ = leaf.group().kill(); // What did not work is done one by one.
        }
        self.kill_known(run);
        self.adopt();
        self.carry_on();
    }

    /// SIGKILL to what was seen below our children before the group was killed. What of it is our
    /// child by now is not spared either, but struck like any other.
    fn kill_known(&self, run: RunId) {
        let known = self.runs.get(&run).into_iter().flat_map(|run| run.known.iter());
        for process in known.filter(|process| !self.children.contains_key(&process.pid)) {
            os::signal_pinned(process, &[Signal::KILL]);
        }
    }

    /// What is left belongs to no run, as soon as the leader is dead.
    pub(crate) fn release(&mut self, run: RunId) {
        if let Some(run) = self.runs.get_mut(&run) {
            run.ending = run.ending.max(Ending::Released);
        }
        self.settle();
    }

    /// Ends whatever belongs to nobody, and from here on whatever shows up. Tells how many are left.
    pub(crate) fn end_unattributed(&mut self) -> watch::Receiver<usize> {
        let Unattributed::Ended(left) = &self.unattributed else {
            let (sender, left) = watch::channel(usize::MAX);
            self.unattributed = Unattributed::Ended(sender);
            self.settle();
            return left;
        };
        left.subscribe()
    }

    /// Tells how many are left that belong to nobody, where somebody waits for that.
    pub(crate) fn tell_unattributed(&self) {
        if let Unattributed::Ended(left) = &self.unattributed {
            left.send_replace(self.children_of(Owner::Nobody).len());
        }
    }

    /// SIGKILL to every child that is to be ended and did not get it yet. What is below it falls to
    /// us with its death.
    pub(crate) fn strike(&mut self) {
        let emptied = self.leaves_being_emptied();
        let dies_with_its_leaf = |child: &Child| child.in_leaf && emptied.contains(&child.owner);
        let doomed = self.children.iter().filter(|(_, child)| self.is_doomed(child));
        let doomed = doomed.filter(|(_, child)| !dies_with_its_leaf(child));
        let doomed: Vec<_> = doomed.map(|(&pid, _)| pid).collect();
        doomed.into_iter().for_each(|pid| self.strike_child(pid));
    }

    /// SIGKILL to strays of runs that are being killed, and word of the end of any for which a run
    /// waits.
    pub(crate) fn chase_strays(&self) {
        for (&id, run) in self.runs.iter().filter(|(_, run)| run.may_be_over()) {
            for stray in self.strays(id) {
                if run.ending == Ending::Killing {
                    os::signal_pinned(&stray, &[Signal::KILL]);
                }
                self.stray_exits.watch(&stray);
            }
        }
    }

    fn is_doomed(&self, child: &Child) -> bool {
        let wanted = match child.owner {
            Owner::Run(run) => self.runs.get(&run).is_some_and(|run| run.ending == Ending::Killing),
            Owner::Released(_) => false,
            Owner::Nobody => matches!(self.unattributed, Unattributed::Ended(_)),
        };
        wanted && !child.struck
    }

    /// Whose leaf got SIGKILL and is not empty yet. When it is, a child of theirs that is not dead
    /// has left it. That moment may come between two looks at the leaf, so it has to be watched.
    fn leaves_being_emptied(&self) -> Vec<Owner> {
        let killed = self.runs.iter().filter(|(_, run)| run.ending == Ending::Killing);
        let is_emptied = |leaf: &Leaf| leaf.is_watched() && leaf.is_populated();
        let emptied = killed.filter(|(_, run)| run.leaf.as_ref().is_some_and(is_emptied));
        emptied.map(|(&run, _)| Owner::Run(run)).collect()
    }

    fn strike_child(&mut self, pid: Pid) {
        if let Some(child) = self.children.get_mut(&pid) {
            child.ids = ids_of(pid); // Whatever it forked just now is in these.
            child.struck = true;
        }
        signal_child(pid, &[Signal::KILL]);
    }

    /// Remembers who is below a run's processes, while that can be seen. Those that were remembered
    /// before and live are found again, or became children of ours. A leaf knows them better.
    ///
    /// `children`: those of the children of ours that belong to the run.
    pub(crate) fn remember_tree(
        &mut self,
        id: RunId,
        children: impl FnOnce(&Family) -> Vec<Process>,
    ) {
        if self.group_of(id).is_some() {
            return;
        }
        let family = Family::now();
        let mut below = self.strays(id);
        below.extend(children(&family));
        let known = with_descendants(&family, below).into_iter().collect();
        if let Some(run) = self.runs.get_mut(&id) {
            run.known = known;
        }
    }

    /// Makes what a released run left behind nobody's, and says how many live.
    pub(crate) fn let_go(&mut self, id: RunId) -> u32 {
        let is_released = self.runs.get(&id).is_some_and(|run| run.ending == Ending::Released);
        if !is_released {
            return 0;
        }
        let known: Known = self.members(id).into_iter().collect();
        let left = u32::try_from(known.len()).unwrap_or(u32::MAX);
        for child in self.children.values_mut().filter(|child| child.owner == Owner::Run(id)) {
            child.owner = Owner::Released(id);
        }
        let leaf = self.runs.get_mut(&id).and_then(|run| run.leaf.take());
        self.released.insert(id, Released { known, leaf });
        left
    }
}
