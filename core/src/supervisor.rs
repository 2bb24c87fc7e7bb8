//! The reducer.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::action::Action;
use crate::id::SlotId;
use crate::input::Input;
use crate::time::Instant;
use crate::view::SlotView;
use crate::wakeup::Wakeup;

/// What a supervisor is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// Where the jitter of the backoffs comes from.
    pub seed: u64,
    /// The ports that blocks are taken from. Default: 21000–24999, which lies outside of the usual
    /// ephemeral ranges.
    pub ports: RangeInclusive<u16>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, ports: 21_000..=24_999 }
    }
}

/// Many slots, one reducer.
pub struct Supervisor {}

impl Supervisor {
    /// A supervisor without slots.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let _ = settings;
        Self {}
    }

    /// Lets every deadline up to `now` take effect, then the input.
    pub fn handle(&mut self, now: Instant, input: Input, actions: &mut Vec<Action>) {
        let _ = (now, input, actions);
    }

    /// The next deadline.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        None
    }

    /// The slot as it is now; none if it is at rest, which the core has no value for.
    #[must_use]
    pub fn slot(&self, id: SlotId) -> Option<SlotView> {
        let _ = id;
        None
    }

    /// All slots that the core has a value for, by number.
    pub fn slots(&self) -> impl Iterator<Item = (SlotId, SlotView)> + '_ {
        (0..=u16::MAX).filter_map(|n| Some((SlotId::new(n), self.slot(SlotId::new(n))?)))
    }
}
