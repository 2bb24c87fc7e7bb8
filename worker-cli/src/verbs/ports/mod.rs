//! `worker ports`: who holds which port.

mod text;

use super::outcome::to_json;
use super::request::Answer;
use super::screen::{Page, note, print};
use crate::api::{Ports, VERSION};
use crate::client::{Client, block_on};
use crate::error::Failure;
use crate::exit_code;

pub(crate) const HELP: &str = "\
It shows the ports that are kept for slots, and the process that listens on each.

Examples:
  worker ports
  worker ports --json | jq '.ports[] | select(.slot == \"shop/api\") | .port'

Exit codes:
  0 done    6 the daemon cannot be reached";

/// Runs the verb; answers the exit code. Never starts a daemon.
///
/// # Errors
///
/// [`Failure`] if the daemon cannot be reached.
pub(crate) fn run(args: &Answer) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.state)?.without_start();
        let ports = match client.is_there().await? {
            true => client.ports().await?,
            false => Ports { v: VERSION, ports: Vec::new() },
        };
        if args.json {
            print(&to_json(&ports))?;
        } else if ports.ports.is_empty() {
            note("no slot holds a port", false);
        } else {
            print(&text::render(&ports.ports, &Page::stdout()))?;
        }
        Ok(exit_code::DONE)
    })
}
