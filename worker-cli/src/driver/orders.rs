//! Carries out orders: each becomes one call, and what the call returns becomes a report.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use tokio::task::JoinSet;
use worker_core::{Block, Kill, LaunchId, Order, Program, Report, RunId, Spawn};

use super::host::{Host, RunKey};
use super::mailbox::Reporter;
use super::queue::OrderQueue;

/// The hands of a driver.
pub(super) struct Executor<H> {
    host: H,
    queue: OrderQueue,
    /// Probes of the runs that have a leader, of which most have none.
    probes: Mutex<HashMap<RunId, Option<JoinSet<()>>>>,
}

impl<H: Host> Executor<H> {
    pub(super) fn new(host: H) -> Arc<Self> {
        Arc::new(Self { host, queue: OrderQueue::default(), probes: Mutex::default() })
    }

    /// Puts the order in line. Never waits.
    pub(super) fn give(self: &Arc<Self>, run: RunKey, order: Order, reports: Reporter) {
        if self.queue.push(run.run, order) {
            let executor = Arc::clone(self);
            tokio::spawn(async move {
                while let Some(order) = executor.queue.next(run.run) {
                    executor.carry_out(run, order, &reports).await;
                }
            });
        }
    }

    /// What may take long without a process being at stake goes on in the background, so that
    /// it never holds up a signal.
    async fn carry_out(self: &Arc<Self>, run: RunKey, order: Order, reports: &Reporter) {
        match order {
            Order::Reserve(block) => self.reserve(run, block, reports).await,
            Order::Unreserve(block) => self.host.unreserve(block),
            Order::Spawn { launch, program, block } => {
                self.spawn(run, launch, program, block, reports).await;
            }
            Order::AwaitReady => self.probe(run, reports, |executor, reports| async move {
                executor.host.await_ready(run, &reports).await;
            }),
            Order::Watch => self.probe(run, reports, |executor, reports| async move {
                executor.host.watch(run, &reports).await;
            }),
            Order::CheckUse { block, ordered } => {
                self.probe(run, reports, move |executor, reports| async move {
                    let in_use = executor.host.in_use(block).await;
                    reports.report(Report::UseChecked { ordered, in_use });
                });
            }
            Order::Flush => self.probe(run, reports, move |executor, reports| async move {
                executor.host.flush(run.slot).await;
                reports.report(Report::Flushed);
            }),
            Order::Signal(signal) => self.host.platform().signal_tree(run.run, signal).await,
            Order::Kill => {
                self.host.platform().kill_group(run.run).await;
                self.host.platform().kill_escapees(run.run).await;
            }
            Order::Release => self.host.platform().release(run.run).await,
        }
    }

    async fn reserve(&self, run: RunKey, block: Block, reports: &Reporter) {
        let is_ours = self.host.reserve(run, block).await;
        reports.report(if is_ours { Report::Reserved } else { Report::PortsBusy });
    }

    async fn spawn(
        self: &Arc<Self>,
        run: RunKey,
        launch: LaunchId,
        program: Program,
        block: Option<Block>,
        reports: &Reporter,
    ) {
        let spawned = match self.host.command(run, launch, program, block) {
            Ok(command) => self.host.platform().spawn(run.run, command).await,
            Err(error) => Err(error),
        };
        match spawned {
            Ok(leader) => {
                reports.spawned(self.host.spawned(run, leader));
                self.watch_over(run, reports.clone());
            }
            Err(error) => {
                self.host.gone(run, None).await;
                reports.spawn_failed(error);
            }
        }
    }

    /// Sees the leader end, then the tree.
    fn watch_over(self: &Arc<Self>, run: RunKey, reports: Reporter) {
        self.probes().insert(run.run, None);
        let executor = Arc::clone(self);
        tokio::spawn(async move {
            let platform = executor.host.platform();
            let exit = platform.leader_exit(run.run).await;
            executor.host.leader_ended(run);
            reports.report(Report::LeaderExited(exit));
            let end = platform.tree_gone(run.run).await;
            executor.probes().remove(&run.run);
            executor.host.gone(run, Some(end)).await;
            reports.report(Report::TreeGone { killed: end.killed, left: end.left });
        });
    }

    /// Runs beside the orders until it ends or the tree of the run is gone. One that has nothing to
    /// wait for is not kept.
    fn probe<F>(
        self: &Arc<Self>,
        run: RunKey,
        reports: &Reporter,
        probe: impl FnOnce(Arc<Self>, Reporter) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut probe = Box::pin(probe(Arc::clone(self), reports.clone()));
        if probe.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        if let Some(probes) = self.probes().get_mut(&run.run) {
            let probes = probes.get_or_insert_with(JoinSet::new);
            while probes.try_join_next().is_some() {}
            probes.spawn(probe);
        }
    }

    fn probes(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Option<JoinSet<()>>>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
