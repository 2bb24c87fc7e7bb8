#![no_std]
#![forbid(unsafe_code)]
//! The decisions of a process supervisor, as a value.
//!
//! A [`Supervisor`] looks after many *slots*: named things to keep running. It decides when to
//! spawn, how long to wait before a restart, when to give up (the circuit breaker), what to end
//! with which signal, which ports to hand out, and whose question to answer. It does nothing by
//! itself: no clock, no thread, no file, no process id. Whatever can surprise it comes in as an
//! [`Input`] with an [`Instant`] on it; whatever is to be done goes out as an [`Action`]; given the
//! same inputs it gives the same actions, on every machine and every later day.
//!
//! # How to embed it
//!
//! The host owns the loop: wait for an input or for the next wake-up, hand it over, carry out the
//! actions. This is all of it, with a host whose processes live in a list:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::time::Duration;
//!
//! use worker_core::{
//!     Action, Ask, Event, Exit, Input, Instant, Launch, LaunchId, Order, Report, RequestId,
//!     Settings, SlotId, SlotOptions, StateName, Supervisor,
//! };
//!
//! // The host numbers its slots, its questions, and what there is to execute.
//! let (slot, request) = (SlotId::new(0), RequestId::new(1));
//! let options = SlotOptions { idle: Some(Duration::from_secs(900)), ..SlotOptions::default() };
//! let launch = Launch { id: LaunchId::new(1), spec: options.build().expect("they hold together") };
//!
//! let mut supervisor = Supervisor::new(Settings { seed: 42, ..Settings::default() });
//! let mut inbox = VecDeque::from([Input::Request { slot, request, ask: Ask::Start(launch) }]);
//! let mut now = Instant::ZERO; // A real host reads its monotonic clock.
//! let mut actions = Vec::new();
//! let mut crashes = 0;
//!
//! while crashes < 3 {
//!     // A real host sleeps until then, unless something comes in before.
//!     let input = inbox.pop_front().unwrap_or_else(|| {
//!         now = supervisor.next_wakeup().expect("a slot that restarts has a deadline").at;
//!         Input::Tick
//!     });
//!     supervisor.handle(now, input, &mut actions);
//!     for action in actions.drain(..) {
//!         match action {
//!             Action::Run { slot, run, order } => {
//!                 let mut tell = |report| inbox.push_back(Input::Report { slot, run, report });
//!                 match order {
//!                     // A real host spawns a process group, and reports when it is there. This
//!                     // one crashes at once.
//!                     Order::Spawn { .. } => {
//!                         tell(Report::Spawned);
//!                         tell(Report::LeaderExited(Exit::Code(1)));
//!                     }
//!                     // A real host kills the group, then waits until nothing is left of the tree.
//!                     Order::Kill => tell(Report::TreeGone { killed: 0, left: 0 }),
//!                     _ => {} // See the table in `action`: every order has its answer.
//!                 }
//!             }
//!             Action::Answer { request, outcome } => println!("{request}: {outcome:?}"),
//!             Action::Event { event: Event::Exited { .. }, .. } => crashes += 1,
//!             Action::Event { slot, event, .. } => println!("{now} {slot}: {event:?}"),
//!         }
//!     }
//! }
//! assert_eq!(supervisor.slot(slot).map(|view| view.streak), Some(3));
//! assert_eq!(supervisor.slot(slot).map(|view| view.state), Some(StateName::Stopping));
//! ```
//!
//! What the host owes:
//!
//! - **Answers.** [`action`] has a table of orders and their answers. An answer may come late,
//!   twice, or about a run that is long gone; it must not be left out. Orders about one run are
//!   carried out in the order given.
//! - **Time awake**, see [`Instant`]. Several inputs may carry the same instant.
//! - **A memory**, if slots are to survive the supervisor: [`SlotView::past`] is what to keep of a
//!   slot that is not at rest, and [`Ask::Resume`] gives it to another supervisor.
//! - **Truth about trees.** [`Report::TreeGone`] frees the slot and its ports, so it must not be
//!   said while anything of the run lives.
//!
//! [`platform`] has the traits by which the platform crates do what needs an operating system;
//! a host may use them or bring its own.
//!
//! # What it promises
//!
//! The rules are in [`invariant`], as predicates that hold after every step. [`invariant::Watcher`]
//! checks them in the host's own tests, and [`trace`] prints each step as a line.
//!
//! # Features
//!
//! - `serde`: a supervisor can be serialised, with everything that it waits for, and go on
//!   elsewhere.
//! - `mock`: mocks of the platform traits (`MockSpawn`, `MockKill`). Implies `std`.
//! - `std`: nothing of its own. Without it the crate is `no_std` with `alloc`.

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
mod past;
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
pub use crate::past::{Failures, Past, Streak};
pub use crate::platform::{Kill, Spawn, SpawnError, TreeEnd};
#[cfg(feature = "mock")]
pub use crate::platform::{MockKill, MockSpawn};
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
