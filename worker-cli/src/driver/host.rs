//! What a driver needs beside the platform.

use async_trait::async_trait;
use worker_core::{Block, Kill, LaunchId, Program, RunId, SlotId, Spawn, SpawnError, TreeEnd};

use super::mailbox::Reporter;

/// A run by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunKey {
    /// The slot.
    pub slot: SlotId,
    /// The run, as the core numbers it.
    pub run: RunId,
    /// The run, as people count it: from 1 on within its slot.
    pub number: u64,
}

/// Carries out the orders that need more than [`Spawn`] and [`Kill`]. Like them it decides
/// nothing: no retry, no policy.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Where the processes live.
    type Platform: Spawn + Kill;

    /// Where the processes live.
    fn platform(&self) -> &Self::Platform;

    /// Carries out [`Order::Reserve`](worker_core::Order::Reserve); true if the block is ours.
    async fn reserve(&self, run: RunKey, block: Block) -> bool;

    /// Carries out [`Order::Unreserve`](worker_core::Order::Unreserve).
    fn unreserve(&self, block: Block);

    /// What to execute for a launch, in the platform's terms.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if there is nothing that could be executed.
    fn command(
        &self,
        run: RunKey,
        launch: LaunchId,
        program: Program,
        block: Option<Block>,
    ) -> Result<<Self::Platform as Spawn>::Command, SpawnError>;

    /// Takes note of a new leader and answers its process id.
    fn spawned(&self, run: RunKey, leader: <Self::Platform as Spawn>::Leader) -> i32;

    /// Carries out [`Order::AwaitReady`](worker_core::Order::AwaitReady): probes, and reports each
    /// new answer. Dropped when the tree is gone.
    async fn await_ready(&self, run: RunKey, reports: &Reporter);

    /// Carries out [`Order::Watch`](worker_core::Order::Watch): probes and measures, and reports
    /// each result. Dropped when the tree is gone.
    async fn watch(&self, run: RunKey, reports: &Reporter);

    /// Carries out [`Order::CheckUse`](worker_core::Order::CheckUse).
    async fn in_use(&self, block: Block) -> bool;

    /// Carries out [`Order::Flush`](worker_core::Order::Flush).
    async fn flush(&self, slot: SlotId);

    /// The leader has ended, and nothing of its tree was killed yet: the last chance to ask the
    /// kernel why.
    fn leader_ended(&self, run: RunKey);

    /// Forgets what it kept for a run, before anybody hears of its end. `end`: how its tree came to
    /// be gone; none if it could not be spawned.
    async fn gone(&self, run: RunKey, end: Option<TreeEnd>);
}
