//! How many processes and threads a tree may have.

use std::io;

use crate::cgroup::Group;
use crate::state::State;

impl State {
    /// Limits the tree that is about to be spawned into this cgroup. The kernel's
    /// [pids controller](https://docs.kernel.org/admin-guide/cgroup-v2.html#pid) keeps it: a fork
    /// beyond the limit fails. Nothing else counts the processes of a tree before they are there, so
    /// that without the controller there is no limit, which is said once.
    pub(crate) fn limit_tasks(&mut self, group: Option<&Group>, limit: u32) {
        let Err(why) = limited(group, limit) else { return };
        if !std::mem::replace(&mut self.said_of_tasks, true) {
            tracing::warn!("limits of tasks cannot be kept here, and trees run without: {why}");
        }
    }
}

fn limited(group: Option<&Group>, limit: u32) -> Result<(), String> {
    let group = group.ok_or("a run has no cgroup of its own")?;
    group.limit_tasks(limit).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            "the pids controller is not enabled for its cgroup".to_owned()
        } else {
            error.to_string()
        }
    })
}
