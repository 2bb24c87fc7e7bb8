//! `worker logs`: the output of slots, line by line.

mod merge;
mod text;

use std::io::{IsTerminal, stdout};

use clap::Args;

use self::merge::{Source, followed, merged};
use self::text::Layout;
use super::here::Here;
use super::request::{Answer, parse_count, targets};
use super::screen::{Page, note, print};
use crate::api::LogsQuery;
use crate::client::{Client, block_on};
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::logs::LogLine;

/// So many lines of each slot come before those that are followed.
const BEFORE: u64 = 10;

/// The options of `worker logs`.
#[derive(Clone, Debug, Args)]
pub struct LogsArgs {
    /// The slots [default: those of the nearest worker.toml, else all]
    #[arg(value_name = "SLOT")]
    pub slots: Vec<String>,

    /// Go on with what is still to come, after the last 10 lines of each slot
    #[arg(short, long)]
    pub follow: bool,

    /// Only the last N lines of each slot
    #[arg(short = 'n', long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub lines: Option<u64>,

    /// Only lines from this time on: 10m, or 2026-11-22T07:00:00Z
    #[arg(long, value_name = "T")]
    pub since: Option<String>,

    /// Only those of the run before the latest
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,

    /// Only lines that this regular expression matches
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

pub(crate) const HELP: &str = "\
Each line has its time and stream: out, err, or pre for what `prepare` said.

Examples:
  worker logs api -n 50
  worker logs -f
  worker logs api web --since 10m --grep 'error|warn'
  worker logs api --previous --json | jq -r .line

Exit codes:
  0 done    2 a time or pattern is bad    4 no such slot
  6 no daemon, or it ended while it was followed";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if a slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn run(args: &LogsArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let slots = slots(&client, args).await?;
        if slots.is_empty() {
            note(
                "no slots yet, so there is no output; start something: worker up",
                args.answer.json,
            );
            return Ok(exit_code::DONE);
        }
        let sources = open(&client, &slots, args).await?;
        let layout = Layout::new(Page::stdout(), slots, stdout().is_terminal());
        let json = args.answer.json;
        let show = |raw: &str, line: &LogLine| {
            print(&if json { raw.to_owned() } else { layout.line(line) })
        };
        if !args.follow {
            merged(sources, show).await?;
            return Ok(exit_code::DONE);
        }
        match followed(sources, show).await? {
            true => Err(Failure::new(Code::NoDaemon, "the daemon has ended")),
            false => Ok(exit_code::DONE),
        }
    })
}

async fn slots(client: &Client, args: &LogsArgs) -> Result<Vec<String>, Failure> {
    let here = Here::look()?;
    if args.slots.is_empty() {
        let project = here.project().map(|project| project.name());
        let slots = client.slots(project).await?.slots;
        return Ok(slots.into_iter().map(|slot| slot.slot).collect());
    }
    let targets = targets(client, &here, &args.slots).await?;
    Ok(targets.into_iter().map(|target| target.slot).collect())
}

async fn open(client: &Client, slots: &[String], args: &LogsArgs) -> Result<Vec<Source>, Failure> {
    let is_bounded = args.since.is_some() || !args.follow;
    let query = LogsQuery {
        lines: args.lines.or(if is_bounded { None } else { Some(BEFORE) }),
        since: args.since.clone(),
        previous: args.previous,
        run: None,
        grep: args.grep.clone(),
        follow: args.follow,
    };
    let mut sources = Vec::new();
    for slot in slots {
        sources.push(Source::new(client.logs(slot, &query).await?));
    }
    Ok(sources)
}
