//! The address of a socket, which the kernel lets be about a hundred bytes long.

use std::io;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;

use super::{FILE, PrivateFolder};
use crate::error::{Code, Failure};

/// The address of the socket in a folder. It holds as long as this lives.
#[derive(Debug)]
pub struct SocketAddress<'a> {
    path: PathBuf,
    _folder: &'a PrivateFolder,
}

impl<'a> SocketAddress<'a> {
    /// By its path, or where that is too long for `sun_path` of unix(7), by way of the open folder.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the path is too long, and there is no such way.
    pub fn of(folder: &'a PrivateFolder) -> Result<Self, Failure> {
        let named = folder.path().join(FILE);
        let fits = |path: &PathBuf| SocketAddr::from_pathname(path).is_ok();
        let path = Some(named).filter(fits).or_else(|| short_cut(folder).filter(fits));
        let path = path.ok_or_else(|| too_long(folder))?;
        Ok(Self { path, _folder: folder })
    }

    /// For bind, connect and unlink.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}

#[cfg(target_os = "linux")]
fn short_cut(folder: &PrivateFolder) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;

    Some(format!("/proc/self/fd/{}/{FILE}", folder.as_file().as_raw_fd()).into())
}

#[cfg(not(target_os = "linux"))]
fn short_cut(_: &PrivateFolder) -> Option<PathBuf> {
    None
}

fn too_long(folder: &PrivateFolder) -> Failure {
    let path = folder.path().join(FILE);
    let error = io::Error::from(io::ErrorKind::InvalidFilename);
    let message = format!("no socket can be here: {}: {error}", path.display());
    Failure::new(Code::NoDaemon, message).hint("name a shorter state folder: --state-dir DIR")
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_short_path_is_used_as_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::open_or_make(&scratch.path().join("run")).unwrap();
        let address = SocketAddress::of(&folder).unwrap();
        assert_eq!(address.path(), scratch.path().join("run/worker.sock"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_that_is_too_long_for_a_socket_works_by_way_of_its_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("long".repeat(50));
        let folder = PrivateFolder::open_or_make(&path).unwrap();
        let address = SocketAddress::of(&folder).unwrap();
        let _listener = UnixListener::bind(address.path()).unwrap();
        assert!(path.join(FILE).exists());
        UnixStream::connect(address.path()).unwrap();
    }
}
