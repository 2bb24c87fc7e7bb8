//! Whether a port is free to bind.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// What an address means that was in use a moment ago, which the network remembers for a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The port is busy.
    Never,
    /// Nobody holds the port any more: it is free.
    OfThePast,
}

/// Whether nobody holds the port on any local address.
///
/// Two probes see them all: `[::]` with IPv4 mapped into it, and `0.0.0.0`. A probe of a loopback
/// address alone misses the other ones. std's listener sets SO_REUSEADDR, which does not see
/// sockets that are bound and do not listen yet, so the probes are made by hand.
pub(super) fn is_free(port: u16, reuse: Reuse) -> bool {
    let everywhere = [
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
    ];
    everywhere.into_iter().all(|address| match probe(address, reuse) {
        Ok(()) | Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => true,
        Err(_) => false,
    })
}

fn probe(address: SocketAddr, reuse: Reuse) -> rustix::io::Result<()> {
    let socket = match address {
        SocketAddr::V4(_) => stream_socket(AddressFamily::INET)?,
        SocketAddr::V6(_) => {
            let socket = stream_socket(AddressFamily::INET6)?;
            sockopt::set_ipv6_v6only(&socket, false)?;
            socket
        }
    };
    sockopt::set_socket_reuseaddr(&socket, reuse == Reuse::OfThePast)?;
    bind(&socket, &address)
}

#[cfg(not(target_os = "macos"))]
fn stream_socket(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

#[cfg(target_os = "macos")]
fn stream_socket(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::empty(), None)?;
    rustix::io::ioctl_fioclex(&socket)?;
    Ok(socket)
}
