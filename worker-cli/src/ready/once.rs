//! One question to a run, as a liveness probe asks it again and again.

use std::time::Duration;

use tokio::time::timeout;
use worker_core::{Owner, SpawnError};
use worker_platform_unix::Command;

use super::{Target, http, listener};
use crate::probe::Probe;

/// Whether the run answers well within `limit`.
pub(crate) async fn ask_once(
    probe: &Probe,
    target: Target<'_>,
    helper: impl Fn(&[String]) -> Result<Command, SpawnError>,
    limit: Duration,
) -> bool {
    match probe {
        Probe::Http { port, path } => match port.or(target.port) {
            Some(port) => timeout(limit, http::is_good(port, path)).await.unwrap_or(false),
            None => false,
        },
        Probe::Tcp { port } => match port.or(target.port) {
            Some(port) => {
                let found = timeout(limit, listener::find(target, port)).await.ok().flatten();
                matches!(found, Some(Owner::Own | Owner::Unknown))
            }
            None => false,
        },
        Probe::Exec(words) => match helper(words) {
            Ok(command) => {
                let exit = target.platform.run_helper(target.run, command, limit).await;
                exit.is_ok_and(|exit| exit.is_success())
            }
            Err(_) => false,
        },
        // The configuration allows neither for liveness.
        Probe::Log(_) | Probe::Notify => true,
    }
}
