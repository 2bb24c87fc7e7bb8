//! What every request may need.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::daemon::Daemon;

/// Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) daemon: Daemon,
    pub(super) closing: Closing,
    pub(super) limits: Limits,
    pub(super) since: Instant,
}

/// What a client may take of time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Until a request has all of its head, or until the next one begins.
    pub(super) head: Duration,
    /// Until a request has all of its body.
    pub(super) body: Duration,
    /// The longest body, in bytes. An environment can have a megabyte.
    pub(super) body_length: usize,
    /// Between two signs of life in a stream of events.
    pub(super) keep_alive: Duration,
    /// How many clients are connected at once.
    pub(super) connections: usize,
    /// How long the last answers may take to be read.
    pub(super) last_answers: Duration,
}

/// The end of the server, which is asked for and awaited. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Closing {
    stage: watch::Sender<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Asked,
    /// Nobody can connect any more.
    Deaf,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            body_length: 4 << 20,
            keep_alive: Duration::from_secs(15),
            connections: 4096,
            last_answers: Duration::from_secs(1),
        }
    }
}

impl Default for Closing {
    fn default() -> Self {
        Self { stage: watch::Sender::new(Stage::Open) }
    }
}

impl Closing {
    /// Asks for the end.
    pub fn ask(&self) {
        self.rise_to(Stage::Asked);
    }

    /// Waits until it is asked for. Cancel safe.
    pub(super) async fn asked(&self) {
        self.reached(Stage::Asked).await;
    }

    /// Says that nobody can connect any more.
    pub(super) fn is_deaf(&self) {
        self.rise_to(Stage::Deaf);
    }

    /// Waits until nobody can connect any more. Cancel safe.
    pub(super) async fn deaf(&self) {
        self.reached(Stage::Deaf).await;
    }

    fn rise_to(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let rises = *now < stage;
            *now = (*now).max(stage);
            rises
        });
    }

    async fn reached(&self, stage: Stage) {
        // Cannot fail: we keep a sender.
        let _ = self.stage.subscribe().wait_for(|now| *now >= stage).await;
    }
}
