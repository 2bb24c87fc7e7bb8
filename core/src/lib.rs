#![no_std]
#![forbid(unsafe_code)]
//! Decisions of a process supervisor.

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod action;
mod agenda;
mod backoff;
mod breaker;
mod context;
mod exit;
mod id;
mod input;
pub mod invariant;
mod ledger;
pub mod platform;
mod ports;
mod slot;
mod spec;
mod supervisor;
mod time;
pub mod trace;
mod view;
mod wakeup;

pub use crate::action::{Action, Event, Order, Outcome, Parked, Program, Refusal, StopReason};
pub use crate::exit::{DownCause, Exit, PrepareFailure, Signal, SpawnFailure};
pub use crate::id::{LaunchId, RequestId, RunId, SlotId};
pub use crate::input::{Ask, Input, Launch, Owner, Report, Urgency};
pub use crate::platform::{Kill, Spawn, SpawnError, TreeEnd};
pub use crate::ports::Block;
pub use crate::spec::{
    AliveOptions, OnCleanExit, PortRequest, PrepareOptions, ReadyOptions, RestartOptions,
    RestartWhen, SlotOptions, Spec, SpecError, StopOptions,
};
pub use crate::supervisor::{Settings, Supervisor};
pub use crate::time::Instant;
pub use crate::view::{LastError, SlotView, StateName};
pub use crate::wakeup::{Wakeup, WakeupReason};

/// How long the host has to answer [`Order::Reserve`] and [`Order::Spawn`].
pub const SPAWN_LIMIT: core::time::Duration = core::time::Duration::from_secs(10);

/// How long the host has to answer [`Order::CheckUse`].
pub const CHECK_LIMIT: core::time::Duration = core::time::Duration::from_secs(10);

/// This long after SIGKILL a tree that is still there is reported as unkillable.
pub const UNKILLABLE_AFTER: core::time::Duration = core::time::Duration::from_secs(10);
