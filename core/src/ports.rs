//! Blocks of ports, and who has them.

use core::fmt;
use core::ops::RangeInclusive;

/// Contiguous ports that belong to one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Block {
    first: u16,
    last: u16,
}

impl Block {
    /// The block of `count` ports that begins at `first`. None if it is empty, holds port 0 or
    /// goes beyond 65535.
    #[must_use]
    pub fn new(first: u16, count: u16) -> Option<Self> {
        let last = first.checked_add(count.checked_sub(1)?)?;
        (first > 0).then_some(Self { first, last })
    }

    /// The ports of the block, which are at least one.
    #[must_use]
    pub const fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// How many ports there are.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.last - self.first + 1
    }

    /// The first port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// Whether the two share a port.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// `21000-21001`, or `21000` for a single port.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}
