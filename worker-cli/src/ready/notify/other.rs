//! A notify socket in a folder of its own, where there are no abstract names and no word of the
//! kernel for who sent a message.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The folder with the socket; both are removed with it.
#[derive(Debug)]
pub(super) struct Bound {
    folder: PathBuf,
    address: String,
}

impl Bound {
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // A folder that is gone already needs no removal.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

pub(super) fn bind() -> io::Result<(UnixDatagram, Bound)> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("worker-notify-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let path = folder.join("socket");
    let bound = Bound { folder, address: path.display().to_string() };
    Ok((UnixDatagram::bind(&path)?, bound))
}

/// The length of a message. Who sent it is not known.
pub(super) fn receive(socket: impl AsFd, message: &mut [u8]) -> io::Result<(usize, Option<i32>)> {
    let (length, _) = rustix::net::recv(socket, message, rustix::net::RecvFlags::empty())?;
    Ok((length, None))
}
