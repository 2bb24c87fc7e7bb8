//! The two things that are told about a run, each once: its leader's exit and its tree's end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use worker_core::{Exit, TreeEnd};

/// What is told about a run. It outlives the run until both were told.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) exit: Answer<Exit>,
    pub(crate) end: Answer<TreeEnd>,
}

impl Answers {
    /// Whether there is nothing left to tell.
    pub(crate) fn all_told(&self) -> bool {
        self.exit.is_told() && self.end.is_told()
    }
}

/// A value that will be known. Small, since each run has two: a channel would take five times as
/// much.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    value: OnceLock<T>,
    known: Notify,
    told: AtomicBool,
}

impl<T: Copy> Answer<T> {
    /// The value is known. Only the first one counts.
    pub(crate) fn set(&self, value: T) {
        let _ = self.value.set(value);
        self.known.notify_waiters();
    }

    /// Waits for the value.
    pub(crate) async fn tell(&self) -> T {
        loop {
            // Made before the look, so that it hears of what is set right after that.
            let known = self.known.notified();
            if let Some(value) = self.value.get() {
                self.told.store(true, Ordering::Relaxed);
                return *value;
            }
            known.await;
        }
    }

    fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), known: Notify::new(), told: AtomicBool::new(false) }
    }
}
