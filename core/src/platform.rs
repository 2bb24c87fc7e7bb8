//! The traits that carry out the orders which need an operating system.
//!
//! A driver calls them as [`Order`](crate::Order) says, and turns what they return into
//! [`Report`](crate::Report)s. They decide nothing: no timer, no retry, no policy.

use alloc::boxed::Box;
use alloc::string::String;

use async_trait::async_trait;
use thiserror::Error;

use crate::exit::{Exit, Signal, SpawnFailure};
use crate::id::RunId;

/// Spawns leaders and sees them end.
#[cfg_attr(feature = "mock", mockall::automock(type Command = (); type Leader = ();))]
#[async_trait]
pub trait Spawn: Send + Sync {
    /// What to execute, in the platform's own terms.
    type Command: Send + 'static;
    /// What the host may show of a leader, such as its process id.
    type Leader: Send + 'static;

    /// Carries out [`Order::Spawn`](crate::Order::Spawn): the leader leads a process group of its
    /// own.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if there is no leader; nothing of it is left then.
    async fn spawn(&self, run: RunId, command: Self::Command) -> Result<Self::Leader, SpawnError>;

    /// Resolves when the leader of `run` has ended. It keeps its process id until the tree is
    /// being emptied, so that a signal to its group cannot hit a stranger.
    async fn leader_exit(&self, run: RunId) -> Exit;
}

/// Ends trees and sees them gone.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Kill: Send + Sync {
    /// Carries out [`Order::Signal`](crate::Order::Signal): this signal, then SIGCONT, once to
    /// every process of the tree.
    async fn signal_tree(&self, run: RunId, signal: Signal);

    /// First half of [`Order::Kill`](crate::Order::Kill): one SIGKILL to the process group of the
    /// leader. A no-op on Windows.
    async fn kill_group(&self, run: RunId);

    /// Second half of [`Order::Kill`](crate::Order::Kill): SIGKILL to the processes of the tree
    /// outside of that group, those included that show up until the tree is gone.
    async fn kill_escapees(&self, run: RunId);

    /// Carries out [`Order::Release`](crate::Order::Release): what is left belongs to no run from
    /// here on.
    async fn release(&self, run: RunId);

    /// Resolves when one of the methods above was called for `run`, its leader is reaped, and no
    /// other process of it is left (or what was left is released).
    async fn tree_gone(&self, run: RunId) -> TreeEnd;
}

/// How a tree came to be gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeEnd {
    /// Processes that SIGKILL ended, a leader that died by itself left out.
    pub killed: u32,
    /// Processes that were released.
    pub left: u32,
}

/// A spawn that failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SpawnError {
    /// The kind, for the reducer.
    pub failure: SpawnFailure,
    /// What was tried, why it failed and what to do next, for a person.
    pub message: String,
}
