//! `worker daemon`: the daemon itself, and the service that starts it.

mod install;
mod service;

use crate::args::{DaemonAction, DaemonArgs};
use crate::daemon::process;
use crate::error::Failure;

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the daemon never listened, or if the service cannot be written.
pub(crate) fn run(args: DaemonArgs) -> Result<u8, Failure> {
    match &args.action {
        None => process::serve(&args),
        Some(DaemonAction::Install(args)) => install::install(args),
    }
}
