//! Connecting to a daemon that runs.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;

use crate::daemon::Holder;
use crate::error::{Code, Failure};
use crate::socket::{Place, PrivateFolder, SocketAddress};

/// A connection to the daemon of a place. None if nobody listens.
///
/// # Errors
///
/// [`Failure`] if what is there may not be trusted, or cannot be connected to.
pub(crate) async fn reach(place: &Place) -> Result<Option<UnixStream>, Failure> {
    if let Some(stream) = connect_in(place.run_dir()).await? {
        return Ok(Some(stream));
    }
    // It may have been started with another runtime folder, by cron for one.
    match Holder::of(place.state_dir()) {
        Some(holder) if holder.run_dir != place.run_dir() => connect_in(&holder.run_dir).await,
        _ => Ok(None),
    }
}

async fn connect_in(run_dir: &Path) -> Result<Option<UnixStream>, Failure> {
    let Some(folder) = PrivateFolder::open(run_dir)? else { return Ok(None) };
    let address = SocketAddress::of(&folder)?;
    match UnixStream::connect(address.path()).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => {
            let message = format!("the daemon cannot be reached: {}: {error}", run_dir.display());
            Err(Failure::new(Code::NoDaemon, message))
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
