//! The deadlines of all slots, the earliest one in sight.

use alloc::vec::Vec;

use crate::id::SlotId;
use crate::time::Instant;

/// One entry a slot: its earliest deadline, and its number to settle ties.
type Entry = (Instant, SlotId);

/// The deadline of slots that have none.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// A tournament tree: the leaves are the slots, each inner node is the earlier of its two
/// children, so the root is the earliest deadline of all. Setting one is O(log n).
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    /// Node 1 is the root, node n has the children 2n and 2n+1, the second half are the leaves.
    nodes: Vec<Entry>,
}

impl Agenda {
    /// The earliest deadline; of several at the same instant, that of the lowest slot.
    pub(crate) fn earliest(&self) -> Option<Entry> {
        self.nodes.get(1).copied().filter(|&(at, _)| at != NEVER)
    }

    pub(crate) fn set(&mut self, slot: SlotId, at: Option<Instant>) {
        let index = usize::from(slot.get());
        if index >= self.nodes.len() / 2 {
            self.grow(index + 1);
        }
        let mut node = self.nodes.len() / 2 + index;
        self.nodes[node] = (at.unwrap_or(NEVER), slot);
        while node > 1 {
            node /= 2;
            let earlier = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
            if self.nodes[node] == earlier {
                return;
            }
            self.nodes[node] = earlier;
        }
    }

    fn grow(&mut self, slots: usize) {
        let leaves = slots.next_power_of_two().max(2);
        let old = core::mem::take(&mut self.nodes);
        self.nodes.resize(2 * leaves, (NEVER, SlotId::new(u16::MAX)));
        let known = old.len() / 2;
        self.nodes[leaves..leaves + known].copy_from_slice(&old[known..]);
        for node in (1..leaves).rev() {
            self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, slot: u16) -> Option<Entry> {
        Some((Instant::from_nanos(at), SlotId::new(slot)))
    }

    #[test]
    fn the_earliest_deadline_is_in_sight_whatever_is_set_and_cleared() {
        let mut agenda = Agenda::default();
        let mut set = |slot: u16, at: Option<u64>| {
            agenda.set(SlotId::new(slot), at.map(Instant::from_nanos));
            agenda.earliest()
        };
        assert_eq!(set(3, Some(50)), entry(50, 3));
        assert_eq!(set(0, Some(70)), entry(50, 3));
        assert_eq!(set(1000, Some(20)), entry(20, 1000));
        assert_eq!(set(1000, Some(60)), entry(50, 3));
        assert_eq!(set(3, None), entry(60, 1000));
        assert_eq!(set(1000, None), entry(70, 0));
        assert_eq!(set(0, None), None);
    }

    #[test]
    fn of_deadlines_at_the_same_instant_the_lowest_slot_comes_first() {
        let mut agenda = Agenda::default();
        for slot in [5, 2, 9] {
            agenda.set(SlotId::new(slot), Some(Instant::from_nanos(7)));
        }
        assert_eq!(agenda.earliest(), entry(7, 2));
    }
}
