//! Who a supervisor is: what its marker and its journal name it by.

use crate::Pid;
use crate::os;

/// Identifies a supervisor among all that ever ran on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SupervisorId {
    /// Names the boot of the machine.
    pub boot: String,
    /// Its process id.
    pub pid: Pid,
    /// When it started, in the system's own unit.
    pub start: u64,
}

impl SupervisorId {
    /// This process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self { boot: os::boot_id(), pid, start: os::own_start() }
    }

    /// What each marker entry of this supervisor begins with; the number of the run follows.
    pub(crate) fn marker_prefix(&self) -> String {
        let Self { boot, pid, start } = self;
        format!("{boot}:{pid}:{start}:")
    }
}
