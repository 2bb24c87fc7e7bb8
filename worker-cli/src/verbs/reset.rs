//! `worker reset` and `touch`: done at once.

use super::here::Here;
use super::outcome::{Outcomes, report, state_line};
use super::request::{SlotsArgs, targets};
use super::screen::{Page, plain};
use crate::api::SlotStatus;
use crate::client::{Client, block_on};
use crate::error::Failure;

pub(crate) const RESET_HELP: &str = "\
A slot that failed too often in a row is parked: it is not started any more,
until the cause is mended and it is re-armed. Its next start begins anew.

Examples:
  worker reset api
  worker why api; worker reset api && worker start api

Exit codes:
  0 re-armed    1 it is not parked; nothing has changed    4 no such slot
  6 no daemon";

pub(crate) const TOUCH_HELP: &str = "\
A slot that is not used for long enough is stopped. This counts as a use.

Example:
  worker touch api

Exit codes:
  0 done    3 it is not running    4 no such slot    5 parked    6 no daemon";

/// Re-arms parked slots; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if a slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn reset(args: &SlotsArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let mut outcomes = Outcomes::new();
        for target in targets(&client, &Here::look()?, &args.slots).await? {
            outcomes.push(client.reset(&target.slot).await);
        }
        report(outcomes, args.answer.json, rearmed)
    })
}

/// Marks slots as used; answers the exit code.
///
/// # Errors
///
/// As [`reset`].
pub(crate) fn touch(args: &SlotsArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let mut outcomes = Outcomes::new();
        for target in targets(&client, &Here::look()?, &args.slots).await? {
            outcomes.push(client.touch(&target.slot).await);
        }
        report(outcomes, args.answer.json, state_line)
    })
}

fn rearmed(slot: &SlotStatus, page: &Page) -> String {
    let name = plain(&slot.slot);
    format!("{} is re-armed; start it: worker start {name}", page.paint.bold(&name))
}
