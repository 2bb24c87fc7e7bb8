//! A start that waits until other slots are ready. The core has not been asked yet: for it the slot is
//! at rest.

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::error::{Code, Failure};

/// What became of a start.
pub(super) type Started = Result<(), Failure>;

/// A start that waits until other slots are ready.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The slots by their names in full.
    pub(super) for_slots: Vec<String>,
    pub(super) since: Timestamp,
    outcome: watch::Sender<Option<Started>>,
    task: AbortHandle,
}

/// Hears what becomes of a start that waits. All who ask for it share one outcome.
pub(super) type Listener = watch::Receiver<Option<Started>>;

impl Waiting {
    pub(super) fn new(
        for_slots: Vec<String>,
        outcome: watch::Sender<Option<Started>>,
        task: AbortHandle,
    ) -> Self {
        Self { for_slots, since: Timestamp::now(), outcome, task }
    }

    pub(super) fn listen(&self) -> Listener {
        self.outcome.subscribe()
    }

    /// A stop came between.
    pub(super) fn cancel(self, slot: &str) {
        self.task.abort();
        self.outcome.send_replace(Some(Err(cancelled(slot))));
    }
}

/// Waits for the outcome.
pub(super) async fn outcome(mut listener: Listener, slot: &str) -> Started {
    let outcome = listener.wait_for(Option::is_some).await.ok().and_then(|found| found.clone());
    // Whoever would have told us is gone with the daemon.
    outcome.unwrap_or_else(|| Err(cancelled(slot)))
}

pub(super) fn cancelled(slot: &str) -> Failure {
    Failure::new(Code::Cancelled, format!("the start of {slot} was cancelled by a stop"))
        .hint(format!("start it again: worker start {slot}"))
}
