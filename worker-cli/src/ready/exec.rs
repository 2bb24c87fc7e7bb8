//! Ready when a command exits with code 0.

use std::time::Duration;

use worker_core::{Owner, SpawnError};
use worker_platform_unix::Command;

use super::cadence::Cadence;
use super::{Answers, Target};

/// A command that takes longer than this is ended and run again.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn await_ready(
    target: Target<'_>,
    command: impl Fn() -> Result<Command, SpawnError>,
    answers: &mut Answers<'_>,
) {
    let cadence = Cadence::start();
    let mut last_error = None;
    loop {
        let exit = match command() {
            Ok(command) => target.platform.run_helper(target.run, command, LIMIT).await,
            Err(error) => Err(error),
        };
        match exit {
            Ok(exit) if exit.is_success() => {
                answers.tell(Owner::Own, String::new);
                return;
            }
            Ok(_) => {}
            Err(error) if last_error.as_ref() == Some(&error) => {}
            Err(error) => {
                tracing::warn!("the command of --ready exec cannot be run: {error}");
                last_error = Some(error);
            }
        }
        cadence.pause().await;
    }
}
