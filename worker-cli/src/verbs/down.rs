//! `worker down`: stops a project, or everything and the daemon.

use clap::Args;

use super::candidates;
use super::here::Project;
use super::outcome::to_json;
use super::request::Answer;
use super::screen::{note, plain, print};
use crate::api::{Down, StopRequest, VERSION};
use crate::client::{Client, block_on};
use crate::daemon::put_to_rest;
use crate::error::Failure;
use crate::exit_code;

/// The options of `worker down`.
#[derive(Clone, Debug, Args)]
pub struct DownArgs {
    /// The project [default: that of the nearest worker.toml]
    #[arg(value_name = "PROJECT", conflicts_with = "all", add = candidates::projects())]
    pub project: Option<String>,

    /// Stop the slots of all projects, and the daemon
    #[arg(long)]
    pub all: bool,

    /// Do not wait until nothing is left
    #[arg(long, conflicts_with = "all")]
    pub no_wait: bool,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

pub(crate) const HELP: &str = "\
It waits until nothing of the slots is left.

Examples:
  worker down
  worker down --all

Exit codes:
  0 done, also where nothing was running    1 processes are left that cannot be
  ended    4 no such project    6 the daemon cannot be reached
  8 the configuration is bad: name the project instead";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if there is no such project, or if the daemon cannot be reached.
pub(crate) fn run(args: &DownArgs) -> Result<u8, Failure> {
    let project = if args.all { None } else { Some(project(args)?) };
    let json = args.answer.json;
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let down = match without_daemon(&client, project.as_deref(), json).await? {
            Some(down) => down,
            None => match &project {
                None => client.shutdown().await?,
                Some(project) => {
                    client.down(project, StopRequest { no_wait: args.no_wait }).await?
                }
            },
        };
        print(&if json { to_json(&down) } else { text(&down) })?;
        Ok(exit_code::DONE)
    })
}

/// Where no daemon runs none is started: what is left ends here, and does not come back with the next
/// one. None if there is one to be asked.
async fn without_daemon(
    client: &Client,
    project: Option<&str>,
    json: bool,
) -> Result<Option<Down>, Failure> {
    if client.is_there().await? {
        return Ok(None);
    }
    let said = put_to_rest(client.place(), project).await?;
    Ok(said.map(|said| {
        said.iter().for_each(|line| note(line, json));
        Down { v: VERSION, stopped: Vec::new() }
    }))
}

fn project(args: &DownArgs) -> Result<String, Failure> {
    if let Some(project) = &args.project {
        return Ok(project.clone());
    }
    let nearest = Project::nearest().map_err(|failure| match failure.hint {
        Some(_) => failure,
        None => failure.hint("to stop it as it is, name the project: worker down PROJECT"),
    });
    nearest.map(|project| project.name().to_owned())
}

fn text(down: &Down) -> String {
    if down.stopped.is_empty() {
        return "nothing was running".to_owned();
    }
    let lines = down.stopped.iter().map(|slot| format!("{} is stopped", plain(slot)));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_that_was_stopped_is_named() {
        let down = |stopped: &[&str]| {
            let stopped = stopped.iter().map(|slot| (*slot).to_owned()).collect();
            text(&Down { v: 1, stopped })
        };
        assert_eq!(down(&[]), "nothing was running");
        assert_eq!(down(&["a/b", "a/c"]), "a/b is stopped\na/c is stopped");
    }
}
