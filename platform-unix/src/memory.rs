//! Memory of a whole tree.

use worker_core::RunId;

use crate::cgroup::Group;
use crate::os;
use crate::state::State;

impl State {
    /// In bytes, as the leaf says, else summed over the living processes; none if there is no such
    /// process.
    pub(crate) fn memory(&self, run: RunId) -> Option<u64> {
        let group = self.group_of(run).filter(|group| group.is_populated());
        group.and_then(Group::memory).or_else(|| self.memory_of_each(run))
    }

    /// How many processes of the run memory ran out for, where its leaf says so.
    pub(crate) fn oom_kills(&self, run: RunId) -> Option<u64> {
        self.group_of(run)?.oom_kills()
    }

    fn memory_of_each(&self, run: RunId) -> Option<u64> {
        let members = self.members(run);
        members.iter().filter_map(|process| os::memory(process.pid)).reduce(u64::saturating_add)
    }
}
