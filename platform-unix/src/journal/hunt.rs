//! Ending what dead supervisors left behind.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use rustix::process::Signal;

use super::look::{Dead, Identity, Leftover, identity, look};
use super::pin::{self, Reach};
use crate::Pid;

/// What became of the leftovers of one supervisor.
#[derive(Debug, Default)]
pub(super) struct Bag {
    pub(super) killed: usize,
    pub(super) survivors: Vec<Pid>,
    /// We are in its tree, so it was left alone.
    pub(super) above_us: bool,
}

/// Ends everything that these supervisors left behind, as far as that is done in time. Answers for
/// each.
pub(super) fn end(dead: &[Dead], until: Instant) -> Vec<Bag> {
    let mut hunt = Hunt { dead, known: HashMap::new(), denied: HashSet::new() };
    hunt.end(until);
    hunt.bags()
}

struct Hunt<'a> {
    dead: &'a [Dead],
    /// Whose each process is that was found.
    known: HashMap<Identity, usize>,
    /// Those that only another user could end.
    denied: HashSet<Identity>,
}

impl Hunt<'_> {
    /// First all are stopped, then all are killed. They are no children of ours: whoever forks
    /// while others are killed may lose its parent before we see whose child it is. Stopped
    /// processes do not fork, so a look that finds nobody new has found all.
    fn end(&mut self, until: Instant) {
        loop {
            let found = self.reachable();
            if found.is_empty() {
                return;
            }
            if self.stop_new(&found) && Instant::now() < until {
                continue;
            }
            found.iter().for_each(|leftover| self.send(leftover, Signal::KILL));
            found.iter().for_each(|leftover| pin::await_end(&leftover.process, until));
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn reachable(&self) -> Vec<Leftover> {
        let (mut found, _) = look(self.dead, &self.known);
        found.retain(|leftover| !self.denied.contains(&identity(&leftover.process)));
        found
    }

    /// Answers whether there was anybody new.
    fn stop_new(&mut self, found: &[Leftover]) -> bool {
        let before = self.known.len();
        for leftover in found {
            if self.known.insert(identity(&leftover.process), leftover.of).is_none() {
                self.send(leftover, Signal::STOP);
            }
        }
        self.known.len() > before
    }

    fn send(&mut self, leftover: &Leftover, signal: Signal) {
        if pin::signal(&leftover.process, signal) == Reach::Denied {
            self.denied.insert(identity(&leftover.process));
        }
    }

    fn bags(&self) -> Vec<Bag> {
        let (left, above_us) = look(self.dead, &self.known);
        let mut bags: Vec<_> = self.dead.iter().map(|_| Bag::default()).collect();
        let living: HashSet<_> = left.iter().map(|leftover| identity(&leftover.process)).collect();
        for (_, &of) in self.known.iter().filter(|(known, _)| !living.contains(known)) {
            bags[of].killed += 1;
        }
        for leftover in left {
            bags[leftover.of].survivors.push(leftover.process.pid);
        }
        for of in above_us {
            bags[of].above_us = true;
        }
        bags
    }
}
