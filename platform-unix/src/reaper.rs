//! The one place that reaps.

use rustix::process::{Signal, kill_process, kill_process_group};
use worker_core::{Exit, RunId, TreeEnd};

use crate::Pid;
use crate::cgroup::Leaf;
use crate::os;
use crate::state::{Child, Ending, Owner, Released, Role, Run, State};
use crate::wait::{self, Dead};

impl State {
    /// Takes note of every death, reaps, and carries on with what is being ended: to be called
    /// whenever a child may have died.
    ///
    /// The order matters: reap all, list, kill all that were listed, wait for the next SIGCHLD. An
    /// orphan that is adopted after the listing, or was left out of it, follows a death that we
    /// have not reaped yet, so another SIGCHLD is sure to come.
    pub(crate) fn settle(&mut self) {
        self.bury_dead();
        self.adopt();
        while self.bury_dead() {
            self.adopt();
        }
        self.carry_on();
    }

    /// Carries on with what is being ended. Our children were listed, and none was reaped since.
    pub(crate) fn carry_on(&mut self) {
        self.finish_runs();
        self.watch_leaves(); // First, since who is in a leaf that is watched is not struck.
        self.strike();
        self.chase_strays();
        self.tell_unattributed();
        self.note_new();
    }

    /// Reaps the dead and takes note of dead leaders. True if there was any: their children may
    /// have become ours since the last listing.
    fn bury_dead(&mut self) -> bool {
        let mut any = false;
        while let Some(dead) = wait::peek_any() {
            if self.is_held(dead.pid) {
                // The kernel would name this one for ever.
                return any || self.bury_each_dead();
            }
            self.bury(dead);
            any = true;
        }
        any
    }

    /// As [`bury_dead`](Self::bury_dead), asking for each child in turn.
    fn bury_each_dead(&mut self) -> bool {
        let children = self.children.keys().copied().filter(|&pid| !self.is_held(pid));
        let dead: Vec<_> = children.filter_map(wait::peek).collect();
        let any = !dead.is_empty();
        dead.into_iter().for_each(|dead| self.bury(dead));
        any
    }

    /// A dead leader that is not reaped, so that its number stays its group's, until that was
    /// killed; longer where that number is needed to find who is left.
    pub(crate) fn is_held(&self, pid: Pid) -> bool {
        let Some(Child { owner: Owner::Run(run), role: Role::Leader, .. }) =
            self.children.get(&pid)
        else {
            return false;
        };
        let keeps = |run: &Run| run.ending < Ending::GroupKilled || !os::ORPHANS_FALL_TO_US;
        self.runs.get(run).is_some_and(|run| run.exit.is_some() && keeps(run))
    }

    fn bury(&mut self, dead: Dead) {
        if !self.children.contains_key(&dead.pid) {
            self.attribute(&[dead.pid]); // It became ours, dead already, since the last listing.
        }
        match self.children.get(&dead.pid) {
            Some(&Child { owner: Owner::Run(run), role: Role::Leader, .. }) => {
                self.bury_leader(run, &dead);
            }
            Some(Child { role: Role::Helper(_), .. }) => self.bury_helper(&dead),
            Some(&Child { owner, .. }) => {
                self.count_killed(owner, dead.exit);
                self.reap(dead.pid);
            }
            None => self.reap(dead.pid),
        }
    }

    fn bury_leader(&mut self, run: RunId, dead: &Dead) {
        if self.runs.get(&run).is_some_and(|run| run.exit.is_none()) {
            self.leader_died(run, dead.exit);
        }
        if !self.is_held(dead.pid) {
            self.reap(dead.pid);
        }
    }

    fn leader_died(&mut self, run: RunId, exit: Exit) {
        self.count_killed(Owner::Run(run), exit);
        if let Some(run) = self.runs.get_mut(&run) {
            run.exit = Some(exit);
        }
        if let Some(answers) = self.answers.get(&run) {
            answers.exit.set(exit);
        }
    }

    /// A helper's group goes with it. Its number is still reserved here.
    fn bury_helper(&mut self, dead: &Dead) {
        kill_group_of(dead.pid);
        let waiting = self.children.get_mut(&dead.pid).and_then(|child| match &mut child.role {
            Role::Helper(waiting) => waiting.take(),
            Role::Leader | Role::Adopted => None,
        });
        if let Some(child) = self.children.get(&dead.pid) {
            self.count_killed(child.owner, dead.exit);
        }
        self.reap(dead.pid);
        if let Some(waiting) = waiting {
            let _ = waiting.send(dead.exit); // Whoever asked may have gone.
        }
    }

    fn reap(&mut self, pid: Pid) {
        wait::reap(pid);
        self.note_reaped(pid);
        self.just_reaped.extend(self.children.remove(&pid));
    }

    fn count_killed(&mut self, owner: Owner, exit: Exit) {
        let Owner::Run(run) = owner else { return };
        if let Some(run) = self.runs.get_mut(&run)
            && run.ending >= Ending::GroupKilled
            && exit == Exit::Signal(worker_core::Signal::Kill)
        {
            run.killed += 1;
        }
    }

    /// Ends the runs of which nothing but a dead leader is left, or the rest of which is released.
    fn finish_runs(&mut self) {
        let over =
            self.runs.iter().filter(|&(&id, run)| run.may_be_over() && self.is_over(id, run));
        let over: Vec<_> = over.map(|(&id, _)| id).collect();
        over.into_iter().for_each(|run| self.finish(run));
        self.forget_released();
    }

    fn is_over(&self, id: RunId, run: &Run) -> bool {
        run.ending == Ending::Released || self.is_empty(id)
    }

    /// The leader was dead before our children were listed, so its own children are among them: to
    /// reap it adds none.
    fn finish(&mut self, id: RunId) {
        if let Some(leader) = self.own_group(id) {
            wait::reap(leader);
            self.note_reaped(leader);
            self.children.remove(&leader);
        }
        let left = self.let_go(id);
        let Some(run) = self.runs.remove(&id) else { return };
        self.note_released(id);
        self.retire(run.leaf);
        if let Some(answers) = self.answers.get(&id) {
            answers.end.set(TreeEnd { killed: run.killed, left });
        }
        self.forget_told(id);
    }

    /// Forgets ended runs whose last process is gone: all that lives hangs under a child of ours,
    /// or is in the leaf.
    fn forget_released(&mut self) {
        let children = &self.children;
        let has_children = |run| children.values().any(|child| child.owner == Owner::Released(run));
        let gone = |&run: &RunId, released: &mut Released| {
            !has_children(run) && !released.leaf.as_ref().is_some_and(Leaf::is_populated)
        };
        let gone: Vec<_> = self.released.extract_if(gone).collect();
        for (run, released) in gone {
            self.retire(released.leaf);
            self.note_released_gone(run);
        }
    }
}

impl Run {
    /// The leader is dead, and somebody asked for the end.
    pub(crate) fn may_be_over(&self) -> bool {
        self.ending > Ending::NotAsked && self.exit.is_some()
    }
}

/// One SIGKILL to the group of a child that is not reaped.
pub(crate) fn kill_group_of(leader: Pid) {
    signal_group(leader, &[Signal::KILL]);
}

/// Signals to a child that is not reaped.
pub(crate) fn signal_child(pid: Pid, signals: &[Signal]) {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return };
    for &signal in signals {
        let _ = kill_process(pid, signal); // It may be another user's.
    }
}

/// Signals to the group of a child that is not reaped.
pub(crate) fn signal_group(leader: Pid, signals: &[Signal]) {
    let Some(group) = rustix::process::Pid::from_raw(leader) else { return };
    for &signal in signals {
        // Fails with EPERM where all of the group are dead (macOS) or another user's.
        let _ = kill_process_group(group, signal);
    }
}
