//! From the words of a verb to slots of the daemon.

use clap::Args;

use super::candidates;
use super::here::Here;
use super::names::{Names, Target};
use crate::client::Client;
use crate::error::Failure;
use crate::state_dir::StateArgs;

/// The daemon, and how to answer.
#[derive(Clone, Debug, Args)]
pub struct Answer {
    /// Answer as JSON, also when something is wrong
    #[arg(long)]
    pub json: bool,

    /// The state folder.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Some slots.
#[derive(Clone, Debug, Args)]
pub struct SlotsArgs {
    /// The slots: api, agent@proj-42, or in full shop/api
    #[arg(required = true, value_name = "SLOT", add = candidates::slots())]
    pub slots: Vec<String>,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

/// One slot.
#[derive(Clone, Debug, Args)]
pub struct SlotArgs {
    /// The slot: api, agent@proj-42, or in full shop/api
    #[arg(value_name = "SLOT", add = candidates::slots())]
    pub slot: String,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

/// The slots that are meant, each once. What cannot be meant fails before anything else happens.
///
/// # Errors
///
/// [`Failure`] if one of them cannot be meant, or if the daemon cannot be reached.
pub(super) async fn targets(
    client: &Client,
    here: &Here,
    written: &[String],
) -> Result<Vec<Target>, Failure> {
    let known = client.slots(None).await?.names();
    Names { here, known: &known }.find_all(written)
}

/// The one slot that is meant, by its name in full.
///
/// # Errors
///
/// As [`targets`].
pub(super) async fn slot(client: &Client, written: &str) -> Result<String, Failure> {
    let here = Here::look()?;
    let mut targets = targets(client, &here, &[written.to_owned()]).await?;
    Ok(targets.pop().map_or_else(|| written.to_owned(), |target| target.slot))
}

/// How many, as an option says it.
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number, such as 50".to_owned())
}
