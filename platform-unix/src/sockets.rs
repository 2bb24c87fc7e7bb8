//! Whose listening sockets and connections are.

use worker_core::{Owner, RunId};

use crate::os;
use crate::state::State;

impl State {
    /// Who listens on a port; none if nobody does.
    ///
    /// Where several sockets listen (such as one each for IPv4 and IPv6), a single one of a
    /// stranger makes it a stranger's: the answer to a probe might come from there.
    pub(crate) fn listener_owner(&self, run: RunId, port: u16) -> Option<Owner> {
        let Some(mut unclaimed) = os::listeners(port) else { return Some(Owner::Unknown) };
        if unclaimed.is_empty() {
            return None;
        }
        let mut closed = false;
        for process in self.members(run) {
            match os::held_sockets(process.pid, &unclaimed) {
                Some(held) => unclaimed.retain(|inode| !held.contains(inode)),
                None => closed = true,
            }
            if unclaimed.is_empty() {
                return Some(Owner::Own);
            }
        }
        Some(if closed { Owner::Unknown } else { Owner::Stranger })
    }
}
