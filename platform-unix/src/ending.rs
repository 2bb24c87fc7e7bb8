//! Ending trees: the group kill, the escapees, and the release of what may live on.

use rustix::process::{Signal, kill_process};
use tokio::sync::watch;
use worker_core::RunId;

use crate::Pid;
use crate::adopt::ids_of;
use crate::cgroup::Group;
use crate::os::{self, Family, Process};
use crate::reaper::kill_group_of;
use crate::state::{Child, Ending, Known, Owner, Released, State, Unattributed};
use crate::tree::with_descendants;

impl State {
    /// One SIGKILL to the group of the leader, which is not reaped; never a second one.
    pub(crate) fn kill_group(&mut self, id: RunId) {
        self.notice_exit(id);
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.ending >= Ending::GroupKilled {
            return;
        }
        run.ending = Ending::GroupKilled;
        let leader = run.leader;
        self.remember_tree(id);
        kill_group_of(leader);
        self.adopt();
        self.carry_on();
    }

    /// A leader that died by itself is not one that we killed.
    fn notice_exit(&mut self, run: RunId) {
        if self.runs.get(&run).is_some_and(|run| run.exit.is_none()) {
            self.settle();
        }
    }

    /// SIGKILL to whatever is left of the run, and from here on to whatever shows up.
    pub(crate) fn kill_escapees(&mut self, run: RunId) {
        let Some(run) = self.runs.get_mut(&run) else { return };
        run.ending = Ending::Killing;
        if let Some(leaf) = &run.leaf {
            let _ = leaf.group().kill(); // What did not work is done one by one.
        }
        self.adopt();
        self.carry_on();
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

    /// SIGKILL to every child that is to be ended and did not get it yet, and to what is below it.
    pub(crate) fn strike(&mut self) {
        let mut doomed: Vec<_> =
            self.children.iter().filter(|(_, child)| self.is_doomed(child)).collect();
        doomed.retain(|(_, child)| !self.dies_with_its_leaf(child));
        let doomed: Vec<_> = doomed.into_iter().map(|(&pid, child)| (pid, child.owner)).collect();
        if doomed.is_empty() {
            return;
        }
        let family = Family::now();
        for (pid, owner) in doomed {
            self.strike_below(&family, pid, owner);
        }
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

    /// Its leaf got SIGKILL. Where the leaf is empty and the child is not dead, it has left it.
    fn dies_with_its_leaf(&self, child: &Child) -> bool {
        let Owner::Run(run) = child.owner else { return false };
        child.in_leaf && self.group_of(run).is_some_and(Group::is_populated)
    }

    /// What is below is looked up first: when its parent is dead, only its group, its session and
    /// its marker could tell whose it is.
    fn strike_below(&mut self, family: &Family, pid: Pid, owner: Owner) {
        let root = os::process(pid).into_iter().collect();
        let mut below = with_descendants(family, root);
        below.retain(|process| process.pid != pid);
        self.remember(owner, &below);
        if let Some(child) = self.children.get_mut(&pid) {
            child.ids = ids_of(pid); // Whatever it forked just now is in these.
            child.struck = true;
        }
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            let _ = kill_process(pid, Signal::KILL); // It may be another user's.
        }
        for process in below.iter().filter(|process| process.alive) {
            os::signal_pinned(process, &[Signal::KILL]);
        }
    }

    /// Remembers who is below a run's processes, while that can be seen. Those that were remembered
    /// before and live are found again, or became children of ours. A leaf knows them better.
    pub(crate) fn remember_tree(&mut self, id: RunId) {
        if self.group_of(id).is_some() {
            return;
        }
        let members = self.members(id);
        if let Some(run) = self.runs.get_mut(&id) {
            run.known = Known::default();
        }
        self.remember(Owner::Run(id), &members);
    }

    fn remember(&mut self, owner: Owner, processes: &[Process]) {
        let Owner::Run(run) = owner else { return };
        if let Some(run) = self.runs.get_mut(&run) {
            for process in processes {
                run.known.insert(process);
            }
        }
    }

    /// Makes what a released run left behind nobody's, and says how many live.
    pub(crate) fn let_go(&mut self, id: RunId) -> u32 {
        let is_released = self.runs.get(&id).is_some_and(|run| run.ending == Ending::Released);
        if !is_released {
            return 0;
        }
        let mut known = Known::default();
        for member in self.members(id) {
            known.insert(&member);
        }
        let left = u32::try_from(known.len()).unwrap_or(u32::MAX);
        for child in self.children.values_mut().filter(|child| child.owner == Owner::Run(id)) {
            child.owner = Owner::Released(id);
        }
        let leaf = self.runs.get_mut(&id).and_then(|run| run.leaf.take());
        self.released.insert(id, Released { known, leaf });
        left
    }
}
