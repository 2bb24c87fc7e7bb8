//! A notify socket of an abstract name, and the kernel's word for who sent a message.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::UnixDatagram;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType, recvmsg, socket_with, sockopt,
};

/// The name that the socket is bound to.
#[derive(Debug)]
pub(super) struct Bound {
    address: String,
}

impl Bound {
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// Lets the kernel choose an abstract name, so there is no file that could be left behind:
/// unix(7), "Autobind feature".
pub(super) fn bind() -> io::Result<(UnixDatagram, Bound)> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_passcred(&socket, true)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new_unnamed())?;
    let socket = UnixDatagram::from(socket);
    let address = address_of(&socket)?;
    Ok((socket, Bound { address }))
}

/// `@` and the name, as `NOTIFY_SOCKET` spells abstract names.
fn address_of(socket: &UnixDatagram) -> io::Result<String> {
    let address = socket.local_addr()?;
    let name = address.as_abstract_name().unwrap_or_default();
    Ok(format!("@{}", String::from_utf8_lossy(name)))
}

/// The length of a message, and who sent it.
pub(super) fn receive(socket: impl AsFd, message: &mut [u8]) -> io::Result<(usize, Option<i32>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [IoSliceMut::new(message)];
    let received = recvmsg(socket, &mut buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut sender = None;
    for item in ancillary.drain() {
        if let RecvAncillaryMessage::ScmCredentials(credentials) = item {
            sender = Some(credentials.pid.as_raw_nonzero().get());
        }
    }
    Ok((received.bytes, sender))
}
