//! Getting the lock of the state folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::reach;
use crate::daemon::{Holder, Lock, Try};
use crate::error::{Code, Failure};
use crate::socket::Place;

/// How long one that was just ended may take to be gone, or one that just began to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks. Nobody tells when a daemon listens that somebody else started.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock. With patience it waits for a daemon that is about to end or to begin; then there is none
/// if one listens after all.
///
/// # Errors
///
/// [`Failure`] if there is a daemon, or one that neither ends nor listens.
pub(super) async fn lock(place: &Place, is_patient: bool) -> Result<Option<Lock>, Failure> {
    let since = Instant::now();
    loop {
        let holder = match Lock::attempt(place.state_dir(), place.run_dir())? {
            Try::Ours(lock) => return Ok(Some(lock)),
            Try::Held(holder) => holder,
        };
        if !is_patient {
            return Err(runs_already(holder.as_ref()));
        }
        if reach(place).await?.is_some() {
            return Ok(None);
        }
        if since.elapsed() > PATIENCE {
            return Err(deaf(holder.as_ref(), place.socket()));
        }
        sleep(PAUSE).await;
    }
}

fn runs_already(holder: Option<&Holder>) -> Failure {
    let message = format!("a daemon runs already{}", named(holder));
    Failure::new(Code::Failed, message)
        .hint("end it and everything that it runs: worker down --all")
}

fn deaf(holder: Option<&Holder>, socket: PathBuf) -> Failure {
    let message =
        format!("a daemon runs{}, and does not listen at {}", named(holder), socket.display());
    let kill = holder.map_or_else(String::new, |holder| format!(": kill {}", holder.pid));
    Failure::new(Code::Failed, message).hint(format!("end it{kill}"))
}

fn named(holder: Option<&Holder>) -> String {
    let named = |Holder { pid, version, .. }: &Holder| format!(" (pid {pid}, version {version})");
    holder.map_or_else(String::new, named)
}
