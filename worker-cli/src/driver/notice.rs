//! What a driver tells those who watch, and what it remembers for them.

use jiff::Timestamp;
use worker_core::{Event, Program, RunId, SlotId};

use super::host::RunKey;

/// An event of the core, with what the core does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When, by the wall clock.
    pub time: Timestamp,
    /// The slot.
    pub slot: SlotId,
    /// The run; none where there was no run.
    pub run: Option<RunKey>,
    /// The leader's process id; none before it was spawned.
    pub pid: Option<i32>,
    /// Why the run could not be spawned, in words; none where it could.
    pub spawn_error: Option<String>,
    /// What happened.
    pub event: Event,
}

/// Facts about the latest run of each slot.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By number; none for a slot that has had no run.
    slots: Vec<Option<Latest>>,
}

#[derive(Debug)]
struct Latest {
    run: RunKey,
    /// Whether it only prepares the run that follows, which then has the same number.
    prepares: bool,
    pid: Option<i32>,
    spawn_error: Option<String>,
}

impl Facts {
    /// The run with its number within the slot. A run that is new gets the next one; one before
    /// the latest has lost its own and gets 0.
    pub(super) fn key(&mut self, slot: SlotId, run: RunId) -> RunKey {
        let latest = self.latest(slot).map(|latest| latest.run);
        match latest {
            Some(latest) if latest.run == run => latest,
            Some(latest) if latest.run > run => RunKey { slot, run, number: 0 },
            earlier => {
                let number = earlier.map_or(0, |earlier| earlier.number);
                let key = RunKey { slot, run, number: number + u64::from(!self.prepares(slot)) };
                self.begin(key);
                key
            }
        }
    }

    /// The next run of the slot gets the number after `latest`.
    pub(super) fn count_on(&mut self, slot: SlotId, latest: u64) {
        self.begin(RunKey { slot, run: RunId::new(0), number: latest });
    }

    /// Takes note of what is about to be spawned.
    pub(super) fn spawning(&mut self, run: RunKey, program: Program) {
        if let Some(latest) = self.latest_mut(run) {
            latest.prepares = program == Program::Prepare;
        }
    }

    pub(super) fn spawned(&mut self, run: RunKey, pid: i32) {
        if let Some(latest) = self.latest_mut(run) {
            latest.pid = Some(pid);
        }
    }

    pub(super) fn spawn_failed(&mut self, run: RunKey, message: String) {
        if let Some(latest) = self.latest_mut(run) {
            latest.spawn_error = Some(message);
        }
    }

    pub(super) fn notice(&mut self, slot: SlotId, run: Option<RunId>, event: Event) -> Notice {
        let run = run.map(|run| self.key(slot, run));
        let latest = self.latest(slot).filter(|latest| Some(latest.run) == run);
        Notice {
            time: Timestamp::now(),
            slot,
            run,
            pid: latest.and_then(|latest| latest.pid),
            spawn_error: latest.and_then(|latest| latest.spawn_error.clone()),
            event,
        }
    }

    fn prepares(&self, slot: SlotId) -> bool {
        self.latest(slot).is_some_and(|latest| latest.prepares)
    }

    fn begin(&mut self, run: RunKey) {
        let index = usize::from(run.slot.get());
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
        }
        let latest = Latest { run, prepares: false, pid: None, spawn_error: None };
        self.slots[index] = Some(latest);
    }

    fn latest(&self, slot: SlotId) -> Option<&Latest> {
        self.slots.get(usize::from(slot.get()))?.as_ref()
    }

    fn latest_mut(&mut self, run: RunKey) -> Option<&mut Latest> {
        let latest = self.slots.get_mut(usize::from(run.slot.get()))?.as_mut();
        latest.filter(|latest| latest.run == run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_count_from_1_within_their_slot() {
        let mut facts = Facts::default();
        let mut number = |slot, run| facts.key(SlotId::new(slot), RunId::new(run)).number;
        assert_eq!(number(0, 1), 1);
        assert_eq!(number(1, 2), 1);
        assert_eq!(number(0, 3), 2);
        assert_eq!(number(0, 3), 2);
        assert_eq!(number(0, 1), 0, "its number is forgotten");
    }

    #[test]
    fn runs_count_on_from_an_earlier_driver() {
        let (mut facts, slot) = (Facts::default(), SlotId::new(0));
        facts.count_on(slot, 7);
        assert_eq!(facts.key(slot, RunId::new(1)).number, 8);
    }

    #[test]
    fn a_preparation_and_the_run_that_it_prepares_are_one() {
        let (mut facts, slot) = (Facts::default(), SlotId::new(0));
        let preparation = facts.key(slot, RunId::new(1));
        facts.spawning(preparation, Program::Prepare);
        let main = facts.key(slot, RunId::new(2));
        facts.spawning(main, Program::Main);
        assert_eq!((preparation.number, main.number), (1, 1));
        assert_eq!(facts.key(slot, RunId::new(3)).number, 2);
    }

    #[test]
    fn a_notice_carries_the_facts_of_its_own_run_only() {
        let (mut facts, slot) = (Facts::default(), SlotId::new(0));
        let first = facts.key(slot, RunId::new(1));
        facts.spawned(first, 42);
        assert_eq!(facts.notice(slot, Some(first.run), Event::Stopped).pid, Some(42));
        assert_eq!(facts.notice(slot, Some(RunId::new(2)), Event::Starting).pid, None);
        facts.spawned(first, 43);
        assert_eq!(facts.notice(slot, Some(RunId::new(2)), Event::Starting).pid, None);
    }
}
