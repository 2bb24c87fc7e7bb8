//! The two things that are told about a run, each once: its leader's exit and its tree's end.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
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

/// A value that will be known.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    value: watch::Sender<Option<T>>,
    told: AtomicBool,
}

impl<T: Copy> Answer<T> {
    /// The value is known.
    pub(crate) fn set(&self, value: T) {
        self.value.send_replace(Some(value));
    }

    /// Waits for the value.
    pub(crate) async fn tell(&self) -> T {
        let mut known = self.value.subscribe();
        loop {
            let value = *known.borrow_and_update();
            if let Some(value) = value {
                self.told.store(true, Ordering::Relaxed);
                return value;
            }
            // Cannot fail: `self` holds the sender.
            let _ = known.changed().await;
        }
    }

    fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self { value: watch::Sender::new(None), told: AtomicBool::new(false) }
    }
}
