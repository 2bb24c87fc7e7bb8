//! TCP sockets of this machine, as the kernel knows them: sock_diag(7) over netlink.
//!
//! One question is 23 µs, where reading `/proc/net/tcp` takes milliseconds. Where there is no
//! sock_diag (some containers), `/proc/net/tcp` and `tcp6` are read after all.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::Once;

use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

use super::Inode;

/// States of a TCP socket, as in the kernel's `net/tcp_states.h`.
#[derive(Clone, Copy)]
enum TcpState {
    Established = 1,
    Listen = 10,
}

/// The sockets that listen on a port; none if that cannot be read.
pub(crate) fn listeners(port: u16) -> Option<Vec<Inode>> {
    sockets(TcpState::Listen, port..=port)
}

/// Whether there is an established connection to one of these ports; none if that cannot be read.
pub(crate) fn any_connection(ports: RangeInclusive<u16>) -> Option<bool> {
    sockets(TcpState::Established, ports).map(|sockets| !sockets.is_empty())
}

fn sockets(state: TcpState, ports: RangeInclusive<u16>) -> Option<Vec<Inode>> {
    asked(state, &ports)
        .or_else(|error| {
            say_sock_diag_is_missing(&error);
            listed(state, &ports)
        })
        .ok()
}

fn say_sock_diag_is_missing(error: &io::Error) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "no sock_diag here ({error}): sockets are read from /proc/net, which is slower"
        );
    });
}

// --- sock_diag -----------------------------------------------------------------------------------

const HEADER: usize = 16; // struct nlmsghdr
const MESSAGE: usize = 72; // struct inet_diag_msg
const INODE_IN_MESSAGE: usize = 68;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301; // NLM_F_REQUEST | NLM_F_DUMP
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

fn asked(state: TcpState, ports: &RangeInclusive<u16>) -> io::Result<Vec<Inode>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    let mut found = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let request = request(u8::try_from(family).unwrap_or_default(), state, ports);
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&socket, &request, SendFlags::empty(), &kernel)?;
        receive(&socket, &mut found)?;
    }
    Ok(found)
}

/// `struct nlmsghdr`, `struct inet_diag_req_v2`, and a filter on the local port.
fn request(family: u8, state: TcpState, ports: &RangeInclusive<u16>) -> Vec<u8> {
    let filter = port_filter(ports);
    let mut body = vec![family, libc::IPPROTO_TCP as u8, 0, 0];
    body.extend((1_u32 << state as u32).to_ne_bytes());
    body.extend([0; 48]); // struct inet_diag_sockid: any
    body.extend(length_of(4 + filter.len()).to_ne_bytes());
    body.extend(1_u16.to_ne_bytes()); // INET_DIAG_REQ_BYTECODE
    body.extend(filter);

    let mut request = Vec::with_capacity(HEADER + body.len());
    request.extend(u32::from(length_of(HEADER + body.len())).to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 8]); // Sequence number and port of ours: one question at a time.
    request.extend(body);
    request
}

fn length_of(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Two comparisons, each a `struct inet_diag_bc_op` with the port in a second one. `no` jumps past
/// the end by 4, which is how the kernel's bytecode says "reject".
fn port_filter(ports: &RangeInclusive<u16>) -> Vec<u8> {
    const SOURCE_AT_LEAST: u8 = 2; // INET_DIAG_BC_S_GE
    const SOURCE_AT_MOST: u8 = 3; // INET_DIAG_BC_S_LE
    let mut filter = Vec::with_capacity(16);
    for (code, port, reject) in
        [(SOURCE_AT_LEAST, ports.start(), 20), (SOURCE_AT_MOST, ports.end(), 12)]
    {
        filter.extend([code, 8]);
        filter.extend(u16::to_ne_bytes(reject));
        filter.extend([0, 0]);
        filter.extend(port.to_ne_bytes());
    }
    filter
}

/// Reads messages up to the one that says that it was the last.
fn receive(socket: &OwnedFd, found: &mut Vec<Inode>) -> io::Result<()> {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let (length, _) = recv(socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = &buffer[..length];
        while let Some((kind, body, next)) = next_message(rest) {
            match kind {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => return Err(error_in(body)),
                _ => found.extend(inode_in(body)),
            }
            rest = next;
        }
    }
}

/// The kind and the body of the first message, and what is behind it.
fn next_message(buffer: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(buffer.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(buffer.get(4..6)?.try_into().ok()?);
    let body = buffer.get(HEADER..length)?;
    let next = buffer.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, body, next))
}

fn error_in(body: &[u8]) -> io::Error {
    let number =
        body.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
    io::Error::from_raw_os_error(-number)
}

fn inode_in(message: &[u8]) -> Option<Inode> {
    let inode = message.get(INODE_IN_MESSAGE..MESSAGE)?.try_into().ok()?;
    Some(Inode(u64::from(u32::from_ne_bytes(inode))))
}

// --- /proc/net -----------------------------------------------------------------------------------

fn listed(state: TcpState, ports: &RangeInclusive<u16>) -> io::Result<Vec<Inode>> {
    let mut table = std::fs::read_to_string("/proc/net/tcp")?;
    table += &std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default(); // No IPv6 here.
    let mut found: Vec<_> =
        table.lines().filter_map(|line| inode_of_line(line, state, ports)).collect();
    // At the end of a page the kernel may tell the same socket twice.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// `  0: 0100007F:0CEA 00000000:0000 0A … inode …`; see proc_pid_net(5).
fn inode_of_line(line: &str, state: TcpState, ports: &RangeInclusive<u16>) -> Option<Inode> {
    let mut fields = line.split_ascii_whitespace();
    let port = fields.nth(1)?.rsplit(':').next()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let in_state = u8::from_str_radix(fields.nth(1)?, 16).ok()? == state as u8;
    let inode = fields.nth(5)?.parse().ok()?;
    (in_state && ports.contains(&port)).then_some(Inode(inode))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    // On another address the same port may be somebody else's: only what is ours is asked for.

    fn inode(socket: &impl AsFd) -> Inode {
        Inode(rustix::fs::fstat(socket).unwrap().st_ino)
    }

    #[test]
    fn a_listener_is_found_by_both_ways_with_the_same_inode() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                println!("skipped: {address} is none of this machine's");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let inode = inode(&listener);
            let asked = asked(TcpState::Listen, &(port..=port)).unwrap();
            let listed = listed(TcpState::Listen, &(port..=port)).unwrap();
            assert!(asked.contains(&inode) && listed.contains(&inode), "{address}");
            drop(listener);
            // A child that another test spawns just now holds it until it executes its program.
            while listeners(port).unwrap().contains(&inode) {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_connection_counts_by_its_port_on_this_side_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        let ours = [inode(&server), inode(&client)];
        let port = |socket: &TcpStream| socket.local_addr().unwrap().port();
        for here in [&server, &client] {
            let ports = port(here)..=port(here);
            assert_eq!(any_connection(ports.clone()), Some(true));
            for ways in [asked, listed] {
                let mut found = ways(TcpState::Established, &ports).unwrap();
                assert!(!found.contains(&inode(&listener)));
                found.retain(|it| ours.contains(it));
                assert_eq!(found, [inode(here)]);
            }
        }
    }

    #[test]
    fn a_table_tells_each_socket_once_however_long_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Enough for several pages of the table.
        let pairs: Vec<_> = (0..100)
            .map(|_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap()))
            .collect();
        let mut ours: Vec<_> = pairs.iter().map(|(_, (server, _))| inode(server)).collect();
        ours.sort_unstable();
        let ports = address.port()..=address.port();
        let found = listed(TcpState::Established, &ports).unwrap();
        let found: Vec<_> = found.into_iter().filter(|it| ours.contains(it)).collect();
        assert_eq!(found, ours);
    }
}
