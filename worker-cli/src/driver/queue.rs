//! Orders about one run are carried out in the order given; those about different runs at once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use worker_core::{Order, RunId};

/// The orders that wait for the one before. A run has an entry only while one of its orders is
/// being carried out, so nothing grows with the number of past runs.
#[derive(Debug, Default)]
pub(super) struct OrderQueue {
    waiting: Mutex<HashMap<RunId, VecDeque<Order>>>,
}

impl OrderQueue {
    /// Adds an order. True if none of this run is being carried out: the caller then carries out
    /// what [`next`](Self::next) gives until it gives nothing.
    pub(super) fn push(&self, run: RunId, order: Order) -> bool {
        let mut waiting = self.waiting();
        let is_idle = !waiting.contains_key(&run);
        waiting.entry(run).or_default().push_back(order);
        is_idle
    }

    /// The next order about the run; none ends its turn.
    pub(super) fn next(&self, run: RunId) -> Option<Order> {
        let mut waiting = self.waiting();
        let order = waiting.get_mut(&run).and_then(VecDeque::pop_front);
        if order.is_none() {
            waiting.remove(&run);
        }
        order
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<RunId, VecDeque<Order>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_out_as_they_went_in_and_an_idle_run_leaves_no_entry() {
        let (queue, run) = (OrderQueue::default(), RunId::new(1));
        assert!(queue.push(run, Order::AwaitReady));
        assert!(!queue.push(run, Order::Kill), "its first order is still being carried out");
        assert!(queue.push(RunId::new(2), Order::Kill), "another run does not wait");
        assert_eq!(queue.next(run), Some(Order::AwaitReady));
        assert_eq!(queue.next(run), Some(Order::Kill));
        assert!(!queue.push(run, Order::Release), "its turn has not ended yet");
        assert_eq!(queue.next(run), Some(Order::Release));
        assert_eq!(queue.next(run), None);
        assert_eq!(queue.waiting().len(), 1);
        assert!(queue.push(run, Order::Kill));
    }
}
