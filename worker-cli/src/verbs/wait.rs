//! `worker wait`: until a slot is ready, has exited, or is at rest.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::time::timeout;

use super::outcome::to_json;
use super::request::{SlotArgs, slot};
use super::screen::{note, print};
use crate::api::{EventsQuery, OneSlot, SlotStatus, State, VERSION};
use crate::client::{Client, Events, block_on};
use crate::duration::{human, parse_duration};
use crate::error::{Code, Failure};
use crate::exit_code;

/// The options of `worker wait`.
#[derive(Clone, Debug, Args)]
pub struct WaitArgs {
    /// For what: ready, exit or stopped
    #[arg(long = "for", value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub what: What,

    /// Which slot.
    #[command(flatten)]
    pub slot: SlotArgs,

    /// No longer than this
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// It is running; done at once if it is
    Ready,
    /// The run that it has now ends, in whatever way
    Exit,
    /// It is stopped, and nothing of it is left; done at once if it is
    Stopped,
}

pub(crate) const HELP: &str = "\
  ready    it is running; done at once if it is
  exit     the run that it has now ends, in whatever way
  stopped  it is stopped, and nothing of it is left; done at once if it is

It starts and stops nothing. A slot that is parked, or that could not be started,
becomes neither ready nor stopped by itself, which is said at once.

Examples:
  worker wait --for ready api --timeout 30s
  worker wait --for exit api; worker why api

Exit codes:
  0 it is so    1 it could not be started    3 there is no run to wait for
  4 no such slot    5 parked    6 no daemon    7 timed out";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if it is not so, and will not be; or if the daemon cannot be reached.
pub(crate) fn run(args: &WaitArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.slot.answer.state)?;
        let name = slot(&client, &args.slot.slot).await?;
        let json = args.slot.answer.json;
        let waiting = wait(&client, &name, args.what, json);
        let slot = match args.timeout {
            None => waiting.await?,
            Some(limit) => {
                let timed_out = |_| timed_out(&name, args.what, limit);
                timeout(limit, waiting).await.map_err(timed_out)??
            }
        };
        if json {
            print(&to_json(&OneSlot { v: VERSION, slot }))?;
        }
        Ok(exit_code::DONE)
    })
}

/// Listens before it looks, so that it misses nothing.
async fn wait(client: &Client, name: &str, what: What, json: bool) -> Result<SlotStatus, Failure> {
    let slot = Some(name.to_owned());
    let query = EventsQuery { slot, project: None, follow: true };
    let mut events = client.events(&query, None).await?;
    let mut slot = client.slot(name).await?;
    let run = slot.run;
    if what == What::Ready && slot.state == State::Stopped {
        note(&format!("{name} is stopped; waiting until somebody starts it"), json);
    }
    let mut exited = !is_live(&slot);
    if what == What::Exit && exited {
        return Err(nothing_to_wait_for(&slot));
    }
    loop {
        if let Some(answer) = judge(what, &slot, exited || slot.run != run) {
            return answer.map(|()| slot);
        }
        exited |= next_exits(&mut events, run).await?;
        slot = client.slot(name).await?;
        exited |= !is_live(&slot);
    }
}

/// Waits for an event; answers whether it is the end of this run's leader.
async fn next_exits(events: &mut Events, run: u64) -> Result<bool, Failure> {
    let gone = || Failure::new(Code::NoDaemon, "the daemon has ended");
    let event = events.next().await?.ok_or_else(gone)?;
    let event: serde_json::Value = serde_json::from_str(&event.line).unwrap_or_default();
    Ok(event["event"] == json!("exited") && event["run"] == json!(run))
}

/// Whether it is so, or will not be; none as long as it may become so.
fn judge(what: What, slot: &SlotStatus, exited: bool) -> Option<Result<(), Failure>> {
    match (what, slot.state) {
        (What::Exit, _) => exited.then_some(Ok(())),
        (What::Ready, State::Running) | (What::Stopped, State::Stopped) => Some(Ok(())),
        (_, State::Failed) => Some(Err(parked(slot))),
        (_, State::Error) => Some(Err(not_started(slot))),
        (
            _,
            State::Starting | State::Running | State::Restarting | State::Stopping | State::Stopped,
        ) => None,
    }
}

/// Whether it has a leader, or will have one by itself.
fn is_live(slot: &SlotStatus) -> bool {
    slot.pid.is_some() || matches!(slot.state, State::Starting)
}

fn nothing_to_wait_for(slot: &SlotStatus) -> Failure {
    let message = format!("{} is {}: no run of it could exit", slot.slot, slot.state.name());
    Failure::new(Code::NotRunning, message).hint(format!("start it: worker start {}", slot.slot))
}

fn parked(slot: &SlotStatus) -> Failure {
    let why = slot.last_error.as_deref().unwrap_or("it failed too often in a row");
    let hint = format!("mend the cause, then re-arm it: worker reset {}", slot.slot);
    Failure::new(Code::Parked, format!("{} is parked: {why}", slot.slot)).hint(hint)
}

fn not_started(slot: &SlotStatus) -> Failure {
    let why = slot.last_error.as_deref().unwrap_or("the reason is not known");
    let message = format!("{} could not be started: {why}", slot.slot);
    Failure::new(Code::StartFailed, message).hint(format!("see more: worker why {}", slot.slot))
}

fn timed_out(name: &str, what: What, limit: Duration) -> Failure {
    let what = match what {
        What::Ready => "not ready",
        What::Exit => "still running",
        What::Stopped => "not stopped",
    };
    let message = format!("{name} is {what} after {}", human(limit));
    Failure::new(Code::TimedOut, message).hint(format!("see how it is: worker status {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::sample;

    fn judged(what: What, state: State) -> Option<Result<(), Code>> {
        let slot = sample::slot("shop/api", state);
        judge(what, &slot, false).map(|answer| answer.map_err(|failure| failure.code))
    }

    #[test]
    fn what_will_not_be_is_said_at_once() {
        for (what, state, expected) in [
            (What::Ready, State::Running, Some(Ok(()))),
            (What::Ready, State::Starting, None),
            (What::Ready, State::Restarting, None),
            (What::Ready, State::Stopped, None),
            (What::Ready, State::Failed, Some(Err(Code::Parked))),
            (What::Ready, State::Error, Some(Err(Code::StartFailed))),
            (What::Stopped, State::Stopped, Some(Ok(()))),
            (What::Stopped, State::Stopping, None),
            (What::Stopped, State::Running, None),
            (What::Stopped, State::Failed, Some(Err(Code::Parked))),
            (What::Exit, State::Running, None),
        ] {
            assert_eq!(judged(what, state), expected, "{what:?} {state:?}");
        }
    }

    #[test]
    fn an_exit_is_one_whatever_comes_after_it() {
        let parked = sample::slot("shop/api", State::Failed);
        assert_eq!(judge(What::Exit, &parked, true), Some(Ok(())));
    }
}
