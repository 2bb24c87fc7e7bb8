//! What no mechanism can keep.

use std::ops::AddAssign;

use super::cell::{Cell, Tier};
use super::end::End;

/// Why some may be left where nothing leads to them.
const REASON: &str = "after both were killed the next start goes by its notes, by group, session, \
                      parent and marker. To a process that is in a session of its own and has wiped \
                      or replaced its environment none of them leads: it looks like any other of \
                      this user. In a cgroup it is found.";

/// How many of a tree are left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Survivors {
    pub(super) all: usize,
    /// Those of them to which nothing led when the tree came to its end.
    pub(super) untraceable: usize,
}

impl AddAssign for Survivors {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.untraceable += other.untraceable;
    }
}

/// Why these survivors cannot be helped; none if they can.
pub(super) fn reason(cell: &Cell, survivors: Survivors) -> Option<&'static str> {
    let is_hopeless = cell.place.tier == Tier::Subreaper && cell.end == End::KillBoth;
    (is_hopeless && survivors.all == survivors.untraceable).then_some(REASON)
}
