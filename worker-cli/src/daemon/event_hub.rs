//! The events of all slots: the latest are kept, and whoever listens reads at its own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::driver::Notice;
use crate::events::EventLines;

/// So many events are kept. Whoever is further behind has missed some.
const KEPT: usize = 8192;

/// So many are read at once. A listener that is slow to pass them on keeps no more from being
/// forgotten.
const BATCH: usize = 64;

/// One event as it goes out.
#[derive(Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its number, from 1 on.
    pub seq: u64,
    /// The slot by its name in full.
    pub slot: Arc<str>,
    /// One line of JSON, without its end.
    pub line: Box<str>,
}

/// Keeps the latest events. Memory does not grow with the listeners, nor with how far they are
/// behind.
#[derive(Debug)]
pub struct EventHub {
    kept: Mutex<Kept>,
    latest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: EventLines,
    records: VecDeque<Arc<EventRecord>>,
}

/// Reads events from one point on.
#[derive(Debug)]
pub struct EventReader {
    hub: Arc<EventHub>,
    latest: watch::Receiver<u64>,
    seen: u64,
}

impl Default for EventHub {
    fn default() -> Self {
        Self { kept: Mutex::default(), latest: watch::Sender::new(0) }
    }
}

impl EventHub {
    /// Adds an event of a slot.
    pub fn add(&self, slot: &Arc<str>, notice: &Notice) -> Arc<EventRecord> {
        let mut kept = self.kept();
        let line = kept.lines.line(slot, notice);
        let (seq, line) = (kept.lines.seq(), line.into_boxed_str());
        let record = Arc::new(EventRecord { seq, slot: Arc::clone(slot), line });
        if kept.records.len() == KEPT {
            kept.records.pop_front();
        }
        kept.records.push_back(Arc::clone(&record));
        drop(kept);
        self.latest.send_replace(record.seq);
        record
    }

    /// The number of the latest event; 0 before the first.
    #[must_use]
    pub fn latest(&self) -> u64 {
        *self.latest.borrow()
    }

    /// Reads what comes after this event. Events that are not kept any more are left out; a number
    /// that was never given, such as one of an earlier daemon, stands for the beginning.
    #[must_use]
    pub fn after(self: &Arc<Self>, seq: u64) -> EventReader {
        let seen = if seq > self.latest() { 0 } else { seq };
        EventReader { hub: Arc::clone(self), latest: self.latest.subscribe(), seen }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventReader {
    /// Some of those that are there and were not read yet, the oldest; empty if there are none.
    pub fn read(&mut self) -> Vec<Arc<EventRecord>> {
        let kept = self.hub.kept();
        let unread = kept.lines.seq().saturating_sub(self.seen);
        let unread = usize::try_from(unread).unwrap_or(usize::MAX).min(kept.records.len());
        let unread = kept.records.range(kept.records.len() - unread..);
        let records: Vec<_> = unread.take(BATCH).cloned().collect();
        drop(kept);
        self.seen = records.last().map_or(self.seen, |record| record.seq);
        records
    }

    /// Waits for the next ones. Empty when there will be none any more. Cancel safe.
    pub async fn next(&mut self) -> Vec<Arc<EventRecord>> {
        // Cannot fail: we keep the hub.
        let seen = self.seen;
        let _ = self.latest.wait_for(|latest| *latest > seen).await;
        self.read()
    }
}

#[cfg(test)]
mod tests {
    use worker_core::{Event, SlotId};

    use super::*;

    fn notice() -> Notice {
        Notice {
            time: jiff::Timestamp::UNIX_EPOCH,
            slot: SlotId::new(0),
            run: None,
            pid: None,
            spawn_error: None,
            event: Event::Stopped,
        }
    }

    fn hub(events: u64) -> Arc<EventHub> {
        let hub = Arc::new(EventHub::default());
        (0..events).for_each(|_| drop(hub.add(&"shop/api".into(), &notice())));
        hub
    }

    fn numbers(records: &[Arc<EventRecord>]) -> Vec<u64> {
        records.iter().map(|record| record.seq).collect()
    }

    #[test]
    fn a_reader_goes_on_after_the_event_that_it_names() {
        let hub = hub(3);
        assert_eq!(numbers(&hub.after(1).read()), [2, 3]);
        assert_eq!(numbers(&hub.after(3).read()), [] as [u64; 0]);
        assert_eq!(numbers(&hub.after(99).read()), [1, 2, 3], "it is of another daemon");
    }

    #[test]
    fn a_reader_reads_each_event_once() {
        let hub = hub(2);
        let mut reader = hub.after(0);
        assert_eq!(numbers(&reader.read()), [1, 2]);
        hub.add(&"shop/api".into(), &notice());
        assert_eq!(numbers(&reader.read()), [3]);
        assert!(reader.read().is_empty());
    }

    #[test]
    fn only_the_latest_are_kept_and_few_are_read_at_once() {
        let hub = hub(KEPT as u64 + 5);
        let mut reader = hub.after(0);
        let batches = std::iter::from_fn(|| Some(reader.read()).filter(|it| !it.is_empty()));
        let batches: Vec<_> = batches.map(|batch| numbers(&batch)).collect();
        assert!(batches.iter().all(|batch| batch.len() <= BATCH));
        assert_eq!(batches.concat(), (6..KEPT as u64 + 6).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_reader_waits_for_the_next_event() {
        let hub = hub(1);
        let mut reader = hub.after(1);
        let adding = Arc::clone(&hub);
        tokio::spawn(async move { adding.add(&"shop/api".into(), &notice()) });
        assert_eq!(numbers(&reader.next().await), [2]);
    }
}
