//! `worker up`: applies the nearest `worker.toml` and starts its eager slots.

mod text;

use clap::Args;

use super::here::{Project, environment};
use super::names::slots_of;
use super::outcome::{fail, to_json};
use super::progress::{INTERRUPTED, Waited, attend, hope};
use super::request::Answer;
use super::screen::{Page, note, print};
use crate::api::{Up, UpRequest};
use crate::client::{Client, block_on};
use crate::config::Start;
use crate::error::Failure;

/// The options of `worker up`.
#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Do not wait until the slots are ready
    #[arg(long)]
    pub no_wait: bool,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

pub(crate) const HELP: &str = "\
What is new in worker.toml starts, what is gone from it stops, what is different
restarts, and what is the same is left alone. A file that is bad changes nothing.
If one slot fails, the others go on.

Examples:
  worker up
  worker up --no-wait

Exit codes:
  0 all eager slots are ready    1 one failed    5 one is parked
  6 no daemon    8 the configuration is bad";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the configuration is bad, or if the daemon cannot be reached; nothing has changed
/// then.
pub(crate) fn run(args: &UpArgs) -> Result<u8, Failure> {
    let project = Project::nearest()?;
    let (env, config) = (Some(environment(args.answer.json)), project.file.clone());
    let body = UpRequest { config, env, no_wait: args.no_wait };
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let request = client.up(project.name(), &body);
        if args.answer.json || args.no_wait {
            return report(request.await?, args.answer.json);
        }
        match attend(&client, watched(&project), request).await? {
            Waited::Answered(up) => report(up?, false),
            Waited::Interrupted => {
                note("no longer waiting; the daemon goes on: worker status", false);
                Ok(INTERRUPTED)
            }
        }
    })
}

/// The eager slots, with what makes them ready.
fn watched(project: &Project) -> Vec<(String, Option<String>)> {
    let slots = slots_of(&project.config).zip(&project.config.slots);
    let eager = slots.filter(|(_, (_, slot))| slot.start == Start::Eager);
    eager.map(|(slot, (name, _))| (slot, hope(&project.config, name.as_str()))).collect()
}

fn report(up: Up, json: bool) -> Result<u8, Failure> {
    print(&if json { to_json(&up) } else { text::render(&up, &Page::stdout()) })?;
    let failures: Vec<Failure> =
        up.slots.into_iter().filter_map(|slot| slot.error).map(Failure::from).collect();
    Ok(fail(&failures, json))
}
