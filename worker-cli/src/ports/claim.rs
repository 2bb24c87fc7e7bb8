//! A port that no other supervisor on this machine will hand out.
//!
//! On Linux the claim is a socket bound to an abstract name. Such names live in the network
//! namespace, exactly as ports do: two users see each other's, two containers with networks of
//! their own do not. There is no file to be left behind, to be owned by somebody else or to be
//! replaced by a link, and the kernel ends the claim with the process. Elsewhere it is a locked
//! file in a folder that all users share.

use std::io;

/// The claim; ends when it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    _hold: imp::Hold,
}

impl Claim {
    /// Claims the port; none if somebody else has.
    pub(super) fn take(port: u16) -> Option<Self> {
        match imp::hold(port) {
            Ok(hold) => Some(Self { _hold: hold }),
            Err(error) => {
                if !is_taken(&error) {
                    tracing::warn!("port {port} cannot be claimed among supervisors: {error}");
                }
                None
            }
        }
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::WouldBlock)
}

#[cfg(target_os = "linux")]
pub(super) use imp::name;

#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    pub(super) type Hold = UnixDatagram;

    pub(super) fn hold(port: u16) -> io::Result<Hold> {
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name(port))?)
    }

    /// The abstract name of a port's claim.
    pub(in super::super) fn name(port: u16) -> String {
        format!("worker-port-{port}")
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::fs::{File, OpenOptions, Permissions, TryLockError};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    /// Not `temp_dir()`, which differs from user to user.
    const FOLDER: &str = "/tmp/worker-ports";

    pub(super) type Hold = File;

    pub(super) fn hold(port: u16) -> io::Result<Hold> {
        let folder = Path::new(FOLDER);
        if std::fs::DirBuilder::new().mode(0o1777).create(folder).is_ok() {
            // The mode was subject to our umask.
            std::fs::set_permissions(folder, Permissions::from_mode(0o1777))?;
        }
        let file = OpenOptions::new()
            .read(true)
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o666)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
            .open(folder.join(port.to_string()))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
            TryLockError::Error(error) => error,
        })?;
        Ok(file)
    }
}
