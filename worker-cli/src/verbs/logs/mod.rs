//! `worker logs`: the output of slots, line by line.

mod merge;
mod newcomers;
mod scope;
mod text;

use std::io::{IsTerminal, stdout};

use clap::Args;

use self::merge::{Source, followed, merged};
use self::newcomers::Newcomers;
use self::scope::Scope;
use self::text::Layout;
use super::candidates;
use super::request::{Answer, parse_count};
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
    /// The slots, or templates for all their instances [default: those of the
    /// nearest worker.toml, else all]
    #[arg(value_name = "SLOT", add = candidates::slots_and_templates())]
    pub slots: Vec<String>,

    /// Go on with what is still to come, after the last 10 lines of each slot;
    /// slots that appear later are shown too
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
  worker logs -f agent
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
        let scope = Scope::of(&client, &args.slots).await?;
        if args.follow {
            follow(&client, scope, args).await
        } else {
            read(&client, scope, args).await
        }
    })
}

async fn read(client: &Client, scope: Scope, args: &LogsArgs) -> Result<u8, Failure> {
    let mut slots = scope.present(client).await?;
    // What the daemon does not know it says best itself.
    let unknown = scope.named_slots().filter(|slot| !slots.contains(slot)).cloned();
    slots.extend(unknown.collect::<Vec<_>>());
    if slots.is_empty() {
        note("no slots yet, so there is no output; start something: worker up", args.answer.json);
        return Ok(exit_code::DONE);
    }
    let sources = open(client, &slots, &query(args)).await?;
    let layout = Layout::new(Page::stdout(), slots, stdout().is_terminal());
    merged(sources, shown(layout, args)).await?;
    Ok(exit_code::DONE)
}

/// Slots that appear meanwhile are let in. None of them slips through, since their events are heard
/// before it is asked which slots there are.
async fn follow(client: &Client, scope: Scope, args: &LogsArgs) -> Result<u8, Failure> {
    let query = query(args);
    let newcomers = Newcomers::of(client, &scope, &query).await?;
    let slots = scope.present(client).await?;
    if slots.is_empty() {
        note("nothing to follow yet: waiting for a start", args.answer.json);
    }
    let newcomers = newcomers.without(&slots);
    let sources = open(client, &slots, &query).await?;
    let layout = Layout::new(Page::stdout(), slots, stdout().is_terminal());
    let layout = if scope.is_one() { layout } else { layout.growing() };
    match followed(sources, newcomers, shown(layout, args)).await? {
        true => Err(Failure::new(Code::NoDaemon, "the daemon has ended")),
        false => Ok(exit_code::DONE),
    }
}

/// Prints a line; answers whether somebody still reads.
fn shown(
    mut layout: Layout,
    args: &LogsArgs,
) -> impl FnMut(&str, &LogLine) -> Result<bool, Failure> {
    let json = args.answer.json;
    move |raw, line| print(&if json { raw.to_owned() } else { layout.line(line) })
}

fn query(args: &LogsArgs) -> LogsQuery {
    let is_bounded = args.since.is_some() || !args.follow;
    LogsQuery {
        lines: args.lines.or(if is_bounded { None } else { Some(BEFORE) }),
        since: args.since.clone(),
        previous: args.previous,
        run: None,
        grep: args.grep.clone(),
        follow: args.follow,
    }
}

async fn open(
    client: &Client,
    slots: &[String],
    query: &LogsQuery,
) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for slot in slots {
        sources.push(Source::new(client.logs(slot, query).await?));
    }
    Ok(sources)
}
