//! What the platform writes into its journal.

use worker_core::RunId;

use super::keeper::Journal;
use crate::Pid;
use crate::state::{Child, Owner, State};

impl State {
    /// Has everything noted from here on.
    pub(crate) fn keep_journal(&mut self, journal: Journal) {
        self.journal = Some(journal);
        self.unnoted.extend(self.children.keys());
        self.note_new();
    }

    /// Notes new children that live on: those that are being ended need no entry.
    pub(crate) fn note_new(&mut self) {
        let mut new = std::mem::take(&mut self.unnoted);
        new.retain(|pid| self.children.get(pid).is_some_and(|child| self.lives_on(child)));
        let Some(journal) = &mut self.journal else { return };
        for pid in new {
            let start = self.children.get(&pid).and_then(|child| child.start);
            journal.note_process(pid, start);
        }
    }

    fn lives_on(&self, child: &Child) -> bool {
        let is_wanted = match child.owner {
            Owner::Run(run) => self.runs.get(&run).is_none_or(|run| run.exit.is_none()),
            Owner::Released(_) => false,
            Owner::Nobody => true,
        };
        is_wanted && !child.struck
    }

    /// A child was reaped.
    pub(crate) fn note_reaped(&mut self, pid: Pid) {
        if let Some(journal) = &mut self.journal {
            journal.forget_process(pid);
        }
    }

    /// What is left of a run lives on on purpose.
    pub(crate) fn note_released(&mut self, run: RunId) {
        let left = self.children_of(Owner::Released(run));
        let Some(journal) = self.journal.as_mut().filter(|_| !left.is_empty()) else { return };
        journal.spare_run(run);
        left.into_iter().for_each(|pid| journal.spare_process(pid));
    }

    /// What a run left behind on purpose is gone.
    pub(crate) fn note_released_gone(&mut self, run: RunId) {
        if let Some(journal) = &mut self.journal {
            journal.forget_run(run);
        }
    }

    /// Removes the journal if nothing of ours is left but what was left on purpose.
    pub(crate) fn end_journal(&mut self) {
        self.settle();
        let is_ours = |child: &Child| !matches!(child.owner, Owner::Released(_));
        let any = !self.runs.is_empty() || self.children.values().any(is_ours);
        if let Some(journal) = self.journal.take_if(|_| !any) {
            journal.remove();
        }
    }
}
