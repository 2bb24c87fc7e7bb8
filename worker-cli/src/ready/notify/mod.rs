//! Ready when a process of the run sends `READY=1` to its notify socket, as `sd_notify(3)` does.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::io;
use std::os::unix::net;
use std::path::Path;

use tokio::io::Interest;
use tokio::net::UnixDatagram;
use worker_core::Owner;

#[cfg(target_os = "linux")]
use self::linux::{Bound, bind, receive};
#[cfg(not(target_os = "linux"))]
use self::other::{Bound, bind, receive};
use super::{Answers, Target};
use crate::processes;

/// systemd takes messages of up to a page.
const MESSAGE: usize = 4096;

/// A socket for the messages of one run.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    bound: Bound,
}

impl NotifySocket {
    /// Binds a socket that no other run has.
    pub(crate) fn bind() -> io::Result<Self> {
        let (socket, bound): (net::UnixDatagram, Bound) = bind()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixDatagram::from_std(socket)?, bound })
    }

    /// The value of `NOTIFY_SOCKET`.
    pub(crate) fn address(&self) -> &str {
        self.bound.address()
    }

    pub(super) async fn await_ready(&self, target: Target<'_>, answers: &mut Answers<'_>) {
        loop {
            let Ok(sender) = self.next_ready().await else { return };
            if answers.tell(owner(target, sender), || describe(sender)) {
                return;
            }
        }
    }

    /// The sender of the next `READY=1`; none where the system does not tell.
    async fn next_ready(&self) -> io::Result<Option<i32>> {
        let mut message = [0; MESSAGE];
        loop {
            let mut receive = || receive(&self.socket, &mut message);
            let (length, sender) = self.socket.async_io(Interest::READABLE, &mut receive).await?;
            if says_ready(&message[..length]) {
                return Ok(sender);
            }
        }
    }
}

fn says_ready(message: &[u8]) -> bool {
    message.split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
}

/// A sender that has already ended, as `systemd-notify` does at once, cannot be looked up any
/// more; its answer is accepted.
fn owner(target: Target<'_>, sender: Option<i32>) -> Owner {
    match sender {
        Some(pid) if target.platform.members(target.run).contains(&pid) => Owner::Own,
        Some(pid) if Path::new(&format!("/proc/{pid}")).exists() => Owner::Stranger,
        Some(_) | None => Owner::Unknown,
    }
}

fn describe(sender: Option<i32>) -> String {
    let sender = sender.map_or_else(|| "an unknown process".to_owned(), processes::describe);
    format!("READY=1 came from {sender}")
}

#[cfg(test)]
mod tests {
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
    #[cfg(target_os = "linux")]
    fn a_message_arrives_with_the_process_that_sent_it() {
        use std::os::linux::net::SocketAddrExt;

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let socket = NotifySocket::bind().unwrap();
            let name = socket.address().strip_prefix('@').unwrap();
            let address = net::SocketAddr::from_abstract_name(name).unwrap();
            let child = net::UnixDatagram::unbound().unwrap();
            child.send_to_addr(b"STATUS=warming up", &address).unwrap();
            child.send_to_addr(b"READY=1", &address).unwrap();
            socket.next_ready().await.unwrap()
        });
        assert_eq!(sender, i32::try_from(std::process::id()).ok());
    }
}
