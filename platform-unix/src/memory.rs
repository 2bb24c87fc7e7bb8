//! Memory of a whole tree.

use worker_core::RunId;

use crate::os;
use crate::state::State;

impl State {
    /// In bytes, summed over the living processes; none if there is no such process.
    pub(crate) fn memory(&self, run: RunId) -> Option<u64> {
        let members = self.members(run);
        members.iter().filter_map(|process| os::memory(process.pid)).reduce(u64::saturating_add)
    }
}
