//! Who listens on a port, by the kernel's tables where they can be read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpStream;
use worker_core::Owner;

use super::Target;
use crate::ports;

/// Whose listener there is. Where the kernel does not say whose it is, or whether there is one, a
/// connection tells the latter.
pub(super) async fn find(target: Target<'_>, port: u16) -> Option<Owner> {
    match target.platform.listener_owner(target.run, port) {
        Some(Owner::Unknown) => connect(port).await.ok().map(|_| Owner::Unknown),
        known => known,
    }
}

/// The listener in words.
pub(super) fn describe(port: u16) -> String {
    format!("port {}", ports::holder(port))
}

/// Connects to the port on a loopback address.
pub(super) async fn connect(port: u16) -> std::io::Result<TcpStream> {
    match TcpStream::connect((IpAddr::from(Ipv4Addr::LOCALHOST), port)).await {
        Ok(stream) => Ok(stream),
        Err(_) => TcpStream::connect((IpAddr::from(Ipv6Addr::LOCALHOST), port)).await,
    }
}
