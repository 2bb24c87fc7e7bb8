//! `worker start`, `stop` and `restart`: they wait, and show meanwhile what happens.

use std::collections::BTreeMap;

use clap::Args;
use futures_util::future::join_all;

use super::here::{Here, environment};
use super::names::Target;
use super::outcome::{Outcomes, report, state_line};
use super::progress::{INTERRUPTED, Waited, attend, hope};
use super::request::{SlotsArgs, targets};
use super::screen::{Page, note, plain};
use crate::api::{SlotStatus, StartRequest, StopRequest};
use crate::client::{Client, block_on};
use crate::error::Failure;

/// The options of `start`, `stop` and `restart`.
#[derive(Clone, Debug, Args)]
pub struct ChangeArgs {
    /// Which slots.
    #[command(flatten)]
    pub slots: SlotsArgs,

    /// Do not wait until it is done
    #[arg(long)]
    pub no_wait: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Start,
    Stop,
    Restart,
}

pub(crate) const START_HELP: &str = "\
It waits until each slot is ready, and is done at once where one is. Ctrl-C ends
the waiting, not the slot.

Examples:
  worker start api
  worker start agent@proj-42 shop/web --no-wait

Exit codes:
  0 ready    1 the first attempt failed    4 no such slot    5 parked
  6 no daemon    8 the configuration is bad";

pub(crate) const STOP_HELP: &str = "\
It waits until nothing of each slot is left. What is stopped does not come back
by itself. A parked slot is re-armed by it.

Examples:
  worker stop api
  worker stop shop/api shop/web --no-wait

Exit codes:
  0 stopped    1 processes are left that cannot be ended    4 no such slot
  6 no daemon";

pub(crate) const RESTART_HELP: &str = "\
It stops each slot, starts it with an empty streak, and waits until it is ready.

Examples:
  worker restart api
  worker restart web --no-wait

Exit codes:
  0 ready    1 the first attempt failed    4 no such slot    5 parked
  6 no daemon    8 the configuration is bad";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if a slot cannot be meant, or if the daemon cannot be reached; nothing has changed
/// then.
pub(crate) fn run(change: Change, args: &ChangeArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.slots.answer.state)?;
        let here = Here::look()?;
        let targets = targets(&client, &here, &args.slots.slots).await?;
        let json = args.slots.answer.json;
        let env = if change == Change::Stop { BTreeMap::new() } else { environment(json) };
        let request = ask_all(&client, change, &targets, &env, args.no_wait);
        if args.no_wait {
            return report(request.await, json, |slot, page| asked(change, slot, page));
        }
        if json {
            return report(request.await, json, state_line);
        }
        let slots = watched(&here, &targets, change);
        match attend(&client, slots, request).await? {
            Waited::Answered(outcomes) => report(outcomes, json, state_line),
            Waited::Interrupted => Ok(left_alone(&targets)),
        }
    })
}

async fn ask_all(
    client: &Client,
    change: Change,
    targets: &[Target],
    env: &BTreeMap<String, String>,
    no_wait: bool,
) -> Outcomes {
    let asked = targets.iter().map(|target| ask(client, change, target, env, no_wait));
    join_all(asked).await
}

async fn ask(
    client: &Client,
    change: Change,
    target: &Target,
    env: &BTreeMap<String, String>,
    no_wait: bool,
) -> Result<SlotStatus, Failure> {
    let Target { slot, config } = target;
    let request = || StartRequest { config: config.clone(), env: Some(env.clone()), no_wait };
    match change {
        Change::Start => client.start(slot, &request()).await,
        Change::Restart => client.restart(slot, &request()).await,
        Change::Stop => client.stop(slot, StopRequest { no_wait }).await,
    }
}

/// What has become of it is not known yet.
fn asked(change: Change, slot: &SlotStatus, page: &Page) -> String {
    let verb = match change {
        Change::Start => "start",
        Change::Stop => "stop",
        Change::Restart => "restart",
    };
    format!("{} is asked to {verb}", page.paint.bold(&plain(&slot.slot)))
}

fn watched(here: &Here, targets: &[Target], change: Change) -> Vec<(String, Option<String>)> {
    let hope = |target: &Target| {
        let project = here.project().filter(|_| target.config.is_some())?;
        let (_, name) = target.slot.split_once('/')?;
        hope(&project.config, name).filter(|_| change != Change::Stop)
    };
    targets.iter().map(|target| (target.slot.clone(), hope(target))).collect()
}

fn left_alone(targets: &[Target]) -> u8 {
    let slots: Vec<&str> = targets.iter().map(|target| target.slot.as_str()).collect();
    let slots = slots.join(", ");
    note(&format!("no longer waiting; the daemon goes on with {slots}: worker status"), false);
    INTERRUPTED
}
