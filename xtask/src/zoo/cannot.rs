//! The cells that no mechanism can keep.

use super::cell::{Cell, Tier};
use super::end::End;

/// Processes that may be left, and why.
pub(super) struct Limit {
    tree: &'static str,
    /// How many of them cannot be found.
    pub(super) most: usize,
    pub(super) reason: &'static str,
}

/// What this cell cannot keep; none if it must be zero.
pub(super) fn limit(cell: &Cell) -> Option<&'static Limit> {
    if cell.place.tier != Tier::Subreaper || cell.end != End::KillBoth {
        return None;
    }
    LIMITS.iter().find(|limit| limit.tree == cell.specimen.name)
}

const LIMITS: [Limit; 2] = [
    Limit {
        tree: "env wiped, argv overwritten",
        most: 1,
        reason: "after both were killed the next start goes by its notes, by group, session, parent \
                 and marker. A process that has none of them looks like any other of this user. In a \
                 cgroup it is found.",
    },
    Limit {
        tree: "marker of another slot",
        most: 1,
        reason: "after both were killed nothing tells a process in its own session with the marker of \
                 a slot that lives from a process of that slot. In a cgroup it is found.",
    },
];
