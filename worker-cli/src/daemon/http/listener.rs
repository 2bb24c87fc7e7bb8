//! The socket that clients connect to.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;

use tokio::net::{UnixListener, UnixStream};

use crate::error::{Code, Failure};
use crate::socket::{Place, PrivateFolder, SocketAddress};

/// A socket in a folder of the user's own. It is removed when this is dropped.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    folder: PrivateFolder,
}

impl Listener {
    /// Listens at this place. Whoever calls this holds the lock of the state folder: a socket that
    /// nobody listens to is one of a dead daemon's, and is replaced.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the folder is not for this user alone, if a daemon of another state folder
    /// listens there, or if there can be no socket.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with io enabled.
    pub fn bind(place: &Place) -> Result<Self, Failure> {
        let folder = PrivateFolder::open_or_make(place.run_dir())?;
        let path = SocketAddress::of(&folder)?.path().to_owned();
        if StdStream::connect(&path).is_ok() {
            return Err(taken(&place.socket()));
        }
        let listener = bind(&path).map_err(|error| {
            let message = format!("no socket can be made: {}: {error}", place.socket().display());
            Failure::new(Code::Failed, message)
        })?;
        Ok(Self { listener, folder })
    }

    /// The next client. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Ok(address) = SocketAddress::of(&self.folder) {
            // Somebody may have removed it, or the whole folder.
            drop(fs::remove_file(address.path()));
        }
    }
}

fn bind(path: &PathBuf) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Nobody else can have come so far: the folder is closed to them.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn taken(socket: &std::path::Path) -> Failure {
    let message =
        format!("a daemon of another state folder listens here already: {}", socket.display());
    Failure::new(Code::Failed, message).hint("name the state folder of this one: --state-dir DIR")
}
