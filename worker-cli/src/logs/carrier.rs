//! The thread that carries output from pipes into logs.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use worker_platform_unix::OutputWriter;

use super::capture::{Capture, Tap};
use super::record::Stream;
use super::slot_log::SlotLog;

/// What is read at once, at most: all of a large pipe takes four turns.
const BUFFER: usize = 256 * 1024;

/// Carries the output of all runs, on one thread of its own: a disk that hangs holds up output and
/// nothing else. While there is no output it sleeps, and a silent run has no buffer.
///
/// Clones are the same thread. It ends with the last of them, and what is in the pipes then is lost:
/// [close](Capture::close) the captures before.
#[derive(Clone, Debug)]
pub struct Logs {
    runtime: Handle,
    /// Where everybody reads into. Only this thread does.
    buffer: Arc<Mutex<Box<[u8]>>>,
    /// Only there to be dropped with the last clone.
    _running: Arc<oneshot::Sender<()>>,
}

impl Logs {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If there is no room for another thread, or for the descriptors that it waits with.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        let carry = move || drop(runtime.block_on(ended));
        thread::Builder::new().name("logs".to_owned()).spawn(carry)?;
        let buffer = Arc::new(Mutex::new(vec![0; BUFFER].into_boxed_slice()));
        Ok(Self { runtime: handle, buffer, _running: Arc::new(running) })
    }

    /// Makes pipes for the output of a run, and carries what comes into the log. The writers go into
    /// the run's [`Command`](worker_platform_unix::Command), in the order of `streams`. `tap` sees
    /// all of it on the way.
    ///
    /// # Errors
    ///
    /// If there are no more descriptors.
    pub fn capture<const N: usize>(
        &self,
        log: &SlotLog,
        run: u64,
        streams: [Stream; N],
        tap: Option<Tap>,
    ) -> io::Result<(Capture, [OutputWriter; N])> {
        Capture::start(&self.runtime, &self.buffer, log.clone(), run, streams, tap)
    }
}
