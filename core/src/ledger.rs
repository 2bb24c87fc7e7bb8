//! Which blocks of ports are handed out.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::ports::Block;

/// The blocks that slots of this supervisor have. No two of them share a port.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Ledger {
    range: RangeInclusive<u16>,
    /// Sorted.
    taken: Vec<Block>,
    /// Where the next search begins, so that a block that was just freed, or was busy, comes last.
    cursor: u16,
}

impl Ledger {
    pub(crate) fn new(range: RangeInclusive<u16>) -> Self {
        let cursor = *range.start();
        Self { range, taken: Vec::new(), cursor }
    }

    /// How many blocks of `count` ports fit into the range.
    pub(crate) fn capacity(&self, count: u16) -> u16 {
        let ports = self.range.end().saturating_sub(*self.range.start());
        // The range may span all of 65536 ports, which `u16` cannot count.
        u16::try_from((u32::from(ports) + 1) / u32::from(count)).unwrap_or(u16::MAX)
    }

    /// Takes the next free block of `count` ports that begins a multiple of `count` into the range.
    pub(crate) fn take(&mut self, count: u16) -> Option<Block> {
        let capacity = self.capacity(count);
        let start = *self.range.start();
        let next = self.cursor.saturating_sub(start).div_ceil(count);
        let block = (0..capacity)
            .map(|step| (u32::from(next) + u32::from(step)) % u32::from(capacity))
            .filter_map(|index| u16::try_from(u32::from(start) + index * u32::from(count)).ok())
            .filter_map(|first| Block::new(first, count))
            .find(|&block| self.is_free(block))?;
        self.cursor = block.ports().end().saturating_add(1);
        self.insert(block);
        Some(block)
    }

    /// Takes this very block; false if a port of it is taken.
    pub(crate) fn take_fixed(&mut self, block: Block) -> bool {
        let free = self.is_free(block);
        if free {
            self.insert(block);
        }
        free
    }

    pub(crate) fn release(&mut self, block: Block) {
        if let Ok(index) = self.taken.binary_search(&block) {
            self.taken.remove(index);
        }
    }

    /// How many blocks are taken.
    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    fn insert(&mut self, block: Block) {
        let index = self.taken.partition_point(|taken| *taken < block);
        self.taken.insert(index, block);
    }

    /// The blocks are disjoint and sorted, so only the neighbours can overlap.
    fn is_free(&self, block: Block) -> bool {
        let index = self.taken.partition_point(|taken| *taken < block);
        let before = index.checked_sub(1).and_then(|before| self.taken.get(before));
        let after = self.taken.get(index);
        !before.into_iter().chain(after).any(|taken| taken.overlaps(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: u16, count: u16) -> Block {
        Block::new(first, count).unwrap()
    }

    #[test]
    fn blocks_are_handed_out_in_turn_and_a_freed_one_comes_last() {
        let mut ledger = Ledger::new(100..=105);
        assert_eq!(ledger.take(2), Some(block(100, 2)));
        ledger.release(block(100, 2));
        assert_eq!(ledger.take(2), Some(block(102, 2)));
        assert_eq!(ledger.take(2), Some(block(104, 2)));
        assert_eq!(ledger.take(2), Some(block(100, 2)));
        assert_eq!(ledger.take(2), None);
    }

    #[test]
    fn blocks_of_different_sizes_never_share_a_port() {
        let mut ledger = Ledger::new(100..=109);
        assert_eq!(ledger.take(1), Some(block(100, 1)));
        assert_eq!(ledger.take(4), Some(block(104, 4)));
        assert_eq!(ledger.take(4), None);
        assert_eq!(ledger.take(1), Some(block(108, 1)));
        assert_eq!(ledger.take(1), Some(block(109, 1)));
        // Blocks of 3 begin at 100, 103 and 106, and each of them meets a taken port.
        assert_eq!(ledger.take(3), None);
        assert_eq!(ledger.take(1), Some(block(101, 1)));
    }

    #[test]
    fn a_fixed_block_is_taken_once_also_outside_of_the_range() {
        let mut ledger = Ledger::new(100..=109);
        assert!(ledger.take_fixed(block(3000, 2)));
        assert!(!ledger.take_fixed(block(3001, 1)));
        assert!(!ledger.take_fixed(block(2999, 2)));
        assert!(ledger.take_fixed(block(3002, 1)));
        ledger.release(block(3000, 2));
        assert!(ledger.take_fixed(block(3001, 1)));
    }

    #[test]
    fn a_range_at_the_end_of_all_ports_is_used_up_to_the_last_one() {
        let mut ledger = Ledger::new(65_534..=65_535);
        assert_eq!(ledger.take(1), Some(block(65_534, 1)));
        assert_eq!(ledger.take(1), Some(block(65_535, 1)));
        assert_eq!(ledger.take(1), None);
        ledger.release(block(65_534, 1));
        assert_eq!(ledger.take(1), Some(block(65_534, 1)));
    }

    #[test]
    fn a_range_too_small_for_the_block_has_none() {
        assert_eq!(Ledger::new(100..=101).take(3), None);
    }
}
