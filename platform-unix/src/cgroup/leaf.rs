//! The cgroup of one run, and word of its getting empty.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::group::Group;
use crate::os;

/// The cgroup of a run.
#[derive(Debug)]
pub(crate) struct Leaf {
    group: Group,
    watch: Option<JoinHandle<()>>,
}

impl Leaf {
    pub(super) fn new(group: Group) -> Self {
        Self { group, watch: None }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn is_populated(&self) -> bool {
        self.group.is_populated()
    }

    /// Whether a change is still to be told.
    pub(crate) fn is_watched(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| !watch.is_finished())
    }

    /// Has the next change told to `empty_leaves`: needed where the last process is no child of
    /// ours, or where it counts for a moment longer than it takes us to reap it.
    pub(crate) fn watch(&mut self, empty_leaves: &EmptyLeaves) {
        if self.is_watched() {
            return;
        }
        let (events, changed) = (self.group.events(), Arc::clone(&empty_leaves.changed));
        self.watch = Some(empty_leaves.runtime.spawn(async move {
            os::await_cgroup_change(&events).await;
            changed.notify_one();
        }));
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

/// Tells that a leaf that is watched may have got empty.
#[derive(Clone, Debug)]
pub(crate) struct EmptyLeaves {
    runtime: Handle,
    changed: Arc<Notify>,
}

impl EmptyLeaves {
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub(crate) fn new() -> Self {
        Self { runtime: Handle::current(), changed: Arc::default() }
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&self) {
        self.changed.notified().await;
    }
}
