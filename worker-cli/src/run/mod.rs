//! `worker run`: one command, in the foreground.

mod ending;
mod event_log;
mod host;
mod messages;
mod session;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::panic::resume_unwind;

use worker_core::Settings;
use worker_platform_unix::journal::Journal;
use worker_platform_unix::signal_number;

use self::event_log::EventLog;
use crate::args::RunArgs;
use crate::error::Failure;
use crate::journal;
use crate::plan::Plan;
use crate::voice::{Style, Voice};

pub(crate) use self::messages::{breaker_message, in_words, why};

pub use self::ending::{Ending, Story};
pub use self::session::{Observers, Watcher, supervise};

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the command was never started.
pub fn run(args: RunArgs) -> Result<u8, Failure> {
    let style = Style { quiet: args.quiet, json: args.json };
    let events = args.events.clone();
    let state = args.state.clone();
    let plan = Plan::from_args(args)?;
    let voice = Voice::on_stderr(style).map_err(|error| Failure::no_room(&error))?;
    crate::logging::to(&voice);
    let events = EventLog::open(events, &voice).map_err(|error| Failure::no_room(&error))?;
    let watchers = events.watcher(plan.name.clone()).into_iter().collect();
    let journal = journal::begin(&state, &voice);
    let observers = Observers { voice: voice.clone(), watchers, recorder: None };
    let ending = to_the_end(plan, journal, observers);
    events.finish();
    voice.finish();
    Ok(ending.map_err(|error| Failure::no_room(&error))?.exit_code(signal_number))
}

/// Supervises one command on a runtime of its own.
pub(crate) fn to_the_end(
    plan: Plan,
    journal: Option<Journal>,
    observers: Observers,
) -> io::Result<Ending> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let settings = Settings { seed: seed(), ports: plan.port_range.clone() };
    let supervision = supervise(plan, settings, journal, observers);
    // In a task: each waking of what the runtime itself blocks on costs a system call.
    let ending = runtime.block_on(async { tokio::spawn(supervision).await });
    let ending = ending.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    // A write to a stdout that nobody reads may hang; nothing is lost by leaving it.
    runtime.shutdown_background();
    ending
}

/// For the jitter of the backoffs: different in each process.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}
