//! `worker why`: the cause of each recent death.

mod text;

use clap::Args;

use super::outcome::to_json;
use super::request::{SlotArgs, parse_count, slot};
use super::screen::{Page, print};
use crate::client::{Client, block_on};
use crate::error::Failure;
use crate::exit_code;

/// The options of `worker why`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// Which slot.
    #[command(flatten)]
    pub slot: SlotArgs,

    /// Show the latest N deaths
    #[arg(short = 'n', value_name = "N", default_value = "3", value_parser = parse_count, allow_negative_numbers = true)]
    pub deaths: u64,
}

pub(crate) const HELP: &str = "\
It shows for each death, the newest first: when, the cause, the evidence for it,
and the last lines of output; and what happens next. Causes outlive the daemon.

Examples:
  worker why api
  worker why api --json | jq -r '.deaths[0].cause'

Exit codes:
  0 done    4 no such slot    6 no daemon";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn run(args: &WhyArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.slot.answer.state)?;
        let slot = slot(&client, &args.slot.slot).await?;
        let why = client.why(&slot).await?;
        let json = args.slot.answer.json;
        print(&if json {
            to_json(&why)
        } else {
            text::render(&why, usize::try_from(args.deaths).unwrap_or(usize::MAX), &Page::stdout())
        })?;
        Ok(exit_code::DONE)
    })
}
