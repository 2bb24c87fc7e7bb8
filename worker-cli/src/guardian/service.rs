//! What a service manager is told, as `sd_notify(3)` does.
//!
//! It is told by the process that the manager started, since that is the only one it listens to
//! (`NotifyAccess=main`), and the one whose end is the end of the service. For the same reason no
//! `MAINPID=` is sent: the manager has the right one already.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    Stopping,
}

/// The service manager, if there is one.
#[derive(Debug)]
pub(super) struct Service {
    address: Option<OsString>,
}

impl Service {
    /// Whoever started this process.
    pub(super) fn from_environment() -> Self {
        Self { address: std::env::var_os("NOTIFY_SOCKET") }
    }

    /// Nobody.
    pub(super) fn none() -> Self {
        Self { address: None }
    }

    /// Tells how it stands.
    pub(super) fn tell(&self, standing: Standing) {
        let Some(address) = &self.address else { return };
        // A manager that does not listen is told nothing; nobody else could be told so.
        drop(send(address, standing.message()));
    }
}

impl Standing {
    const fn message(self) -> &'static [u8] {
        match self {
            Self::Ready => b"READY=1",
            Self::Stopping => b"STOPPING=1",
        }
    }
}

fn send(address: &OsStr, message: &[u8]) -> io::Result<usize> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => abstract_address(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message, &address)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;

    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}
