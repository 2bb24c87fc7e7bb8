//! `worker events`: what happened, and with `-f` what happens.

pub(in crate::verbs) mod text;

use clap::Args;

use super::candidates;
use super::request::{Answer, slot};
use super::screen::{Page, print};
use crate::api::EventsQuery;
use crate::client::{Client, block_on};
use crate::error::{Code, Failure};
use crate::exit_code;

/// The options of `worker events`.
#[derive(Clone, Debug, Args)]
pub struct EventsArgs {
    /// Only those of this slot
    #[arg(value_name = "SLOT", add = candidates::slots())]
    pub slot: Option<String>,

    /// Go on with those that are still to come
    #[arg(short, long)]
    pub follow: bool,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

pub(crate) const HELP: &str = "\
The daemon keeps its latest events; these come first.

Examples:
  worker events
  worker events -f --json | jq -c 'select(.event == \"exited\")'

Exit codes:
  0 done    4 no such slot    6 no daemon, or it ended while it was followed";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn run(args: &EventsArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let slot = match &args.slot {
            Some(written) => Some(slot(&client, written).await?),
            None => None,
        };
        let query = EventsQuery { slot, project: None, follow: args.follow };
        let mut events = client.events(&query, Some(0)).await?;
        let page = Page::stdout();
        while let Some(event) = events.next().await? {
            let line =
                if args.answer.json { Some(event.line) } else { in_words(&event.line, &page) };
            if let Some(line) = line
                && !print(&line)?
            {
                return Ok(exit_code::DONE);
            }
        }
        if args.follow { Err(ended()) } else { Ok(exit_code::DONE) }
    })
}

fn in_words(line: &str, page: &Page) -> Option<String> {
    text::line(&serde_json::from_str(line).ok()?, &page.now())
}

fn ended() -> Failure {
    Failure::new(Code::NoDaemon, "the daemon has ended")
}
