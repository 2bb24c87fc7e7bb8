//! Ready when a process of the run sends `READY=1` to its notify socket, as `sd_notify(3)` does.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt::set_socket_passcred,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use worker_core::Owner;

use super::{Answers, Target};
use crate::processes;

/// systemd takes messages of up to a page.
const MESSAGE: usize = 4096;

/// A socket for the messages of one run.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    address: String,
}

impl NotifySocket {
    /// Binds a socket of an abstract name that the kernel chooses, so there is no file that could
    /// be left behind, and no name that another run could have.
    pub(crate) fn bind() -> io::Result<Self> {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::DGRAM,
            rustix::net::SocketFlags::CLOEXEC | rustix::net::SocketFlags::NONBLOCK,
            None,
        )?;
        set_socket_passcred(&socket, true)?;
        // unix(7), "Autobind feature": an address without a name lets the kernel choose one.
        rustix::net::bind(&socket, &rustix::net::SocketAddrUnix::new_unnamed())?;
        let socket = std::os::unix::net::UnixDatagram::from(socket);
        let address = address_of(&socket)?;
        Ok(Self { socket: UnixDatagram::from_std(socket)?, address })
    }

    /// The value of `NOTIFY_SOCKET`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(super) async fn await_ready(&self, target: Target<'_>, answers: &mut Answers<'_>) {
        loop {
            let Ok(sender) = self.next_ready().await else { return };
            if answers.tell(owner(target, sender), || describe(sender)) {
                return;
            }
        }
    }

    /// The sender of the next `READY=1`.
    async fn next_ready(&self) -> io::Result<Option<i32>> {
        loop {
            let receive = || receive(&self.socket).map_err(io::Error::from);
            let (is_ready, sender) = self.socket.async_io(Interest::READABLE, receive).await?;
            if is_ready {
                return Ok(sender);
            }
        }
    }
}

/// `@` and the name, as `NOTIFY_SOCKET` spells abstract names.
fn address_of(socket: &std::os::unix::net::UnixDatagram) -> io::Result<String> {
    use std::os::linux::net::SocketAddrExt;

    let address = socket.local_addr()?;
    let name = address.as_abstract_name().unwrap_or_default();
    Ok(format!("@{}", String::from_utf8_lossy(name)))
}

/// A message says `READY=1`, and who sent it.
fn receive(socket: impl AsFd) -> rustix::io::Result<(bool, Option<i32>)> {
    let mut message = [0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [IoSliceMut::new(&mut message)];
    let received = recvmsg(socket, &mut buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut sender = None;
    for item in ancillary.drain() {
        if let RecvAncillaryMessage::ScmCredentials(credentials) = item {
            sender = Some(credentials.pid.as_raw_nonzero().get());
        }
    }
    Ok((says_ready(&message[..received.bytes]), sender))
}

fn says_ready(message: &[u8]) -> bool {
    message.split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
}

/// A sender that has already ended, as `systemd-notify` does at once, cannot be looked up any
/// more; its answer is accepted.
fn owner(target: Target<'_>, sender: Option<i32>) -> Owner {
    match sender {
        Some(pid) if target.platform.members(target.run).contains(&pid) => Owner::Own,
        Some(pid) if std::path::Path::new(&format!("/proc/{pid}")).exists() => Owner::Stranger,
        Some(_) | None => Owner::Unknown,
    }
}

fn describe(sender: Option<i32>) -> String {
    let sender = sender.map_or_else(|| "an unknown process".to_owned(), processes::describe);
    format!("READY=1 came from {sender}")
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    #[test]
    fn ready_is_a_line_of_its_own() {
        assert!(says_ready(b"READY=1"));
        assert!(says_ready(b"STATUS=up\nREADY=1\n"));
        for other in [&b"READY=0"[..], b"READY=10", b"XREADY=1", b"", b"STOPPING=1\n"] {
            assert!(!says_ready(other));
        }
    }

    #[test]
    fn a_message_arrives_with_the_process_that_sent_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let socket = NotifySocket::bind().unwrap();
            let name = socket.address().strip_prefix('@').unwrap();
            let address = SocketAddr::from_abstract_name(name).unwrap();
            let child = UnixDatagram::unbound().unwrap();
            child.send_to_addr(b"STATUS=warming up", &address).unwrap();
            child.send_to_addr(b"READY=1", &address).unwrap();
            socket.next_ready().await.unwrap()
        });
        assert_eq!(sender, i32::try_from(std::process::id()).ok());
    }
}
