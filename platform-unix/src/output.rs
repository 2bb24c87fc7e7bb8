//! Pipes for output, which are drained without waiting for end-of-file.
//!
//! A child that lives on may hold the pipe open for ever, so the end of the leader is no reason to
//! wait for end-of-file. After its exit [`drain`](OutputReader::drain) takes what is there at once;
//! the reader lives on until end-of-file, or until the tree is gone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Stdio;

use tokio::io::{AsyncReadExt, Interest};
use tokio::net::unix::pipe::Receiver;

/// Makes a pipe for output. Both ends are closed on exec; the writer goes into a
/// [`Command`](crate::Command), which closes ours once it is spawned.
///
/// # Errors
///
/// If there are no more descriptors.
///
/// # Panics
///
/// Outside of a tokio runtime with io enabled.
pub fn output_pipe() -> io::Result<(OutputReader, OutputWriter)> {
    let (reader, writer) = io::pipe()?;
    let receiver = Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((OutputReader { receiver }, OutputWriter { fd: OwnedFd::from(writer) }))
}

/// Our end of a pipe for output.
#[derive(Debug)]
pub struct OutputReader {
    receiver: Receiver,
}

impl OutputReader {
    /// Waits for output and reads what is there; 0 is end-of-file. Cancel safe.
    ///
    /// # Errors
    ///
    /// As `read(2)`.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receiver.read(buffer).await
    }

    /// Reads what is there now; 0 is end-of-file.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is nothing; else as `read(2)`.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Asks the kernel, where tokio's own `try_read` would trust a readiness that may not have
        // arrived yet.
        rustix::io::read(&self.receiver, buffer).map_err(io::Error::from)
    }

    /// Hands everything that is there now to `take`, and says whether more can come. `buffer` is
    /// room to read into.
    ///
    /// # Errors
    ///
    /// As `read(2)`.
    pub fn drain(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<MoreOutput> {
        loop {
            match self.try_read(buffer) {
                Ok(0) => return Ok(MoreOutput::Never),
                Ok(length) => take(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(MoreOutput::Possible);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How many bytes are there now.
    ///
    /// # Errors
    ///
    /// As `ioctl(2)`.
    pub fn waiting(&self) -> io::Result<usize> {
        let waiting = rustix::io::ioctl_fionread(&self.receiver)?;
        Ok(usize::try_from(waiting).unwrap_or(usize::MAX))
    }

    /// Lets the pipe hold more, as much as an ordinary user may have: 1 MiB on Linux. Less where
    /// that is more than the user's share; no change where the system has no such call.
    pub fn enlarge(&self) {
        #[cfg(target_os = "linux")]
        for size in [1 << 20, 1 << 18] {
            if rustix::pipe::fcntl_setpipe_size(&self.receiver, size).is_ok() {
                return;
            }
        }
    }

    /// Waits until there is output or end-of-file. Cancel safe.
    ///
    /// # Errors
    ///
    /// If the runtime is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.receiver.ready(Interest::READABLE).await.map(drop)
    }
}

/// Whether a pipe can bring more output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoreOutput {
    /// Somebody holds the other end open.
    Possible,
    /// End-of-file.
    Never,
}

/// The end of a pipe that a child writes to.
#[derive(Debug)]
pub struct OutputWriter {
    fd: OwnedFd,
}

impl OutputWriter {
    /// A second writer of the same pipe, such as for stderr beside stdout.
    ///
    /// # Errors
    ///
    /// If there are no more descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { fd: self.fd.try_clone()? })
    }
}

impl AsFd for OutputWriter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OutputWriter> for Stdio {
    fn from(writer: OutputWriter) -> Self {
        writer.fd.into()
    }
}
