//! The output of one run on its way into the log of its slot.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use worker_platform_unix::{OutputReader, OutputWriter, output_pipe};

use super::record::{Line, Stream};
use super::slot_log::SlotLog;

/// Sees output on its way, as it was read. No bytes: the stream has ended. Once it breaks it is
/// dropped. It must not block.
pub type Tap = Box<dyn FnMut(Stream, &[u8]) -> ControlFlow<()> + Send>;

/// A stream gets so many reads before the others have their turn.
const TURN: usize = 8;

/// The size of a pipe as the kernel makes it. Whoever fills it so many times in a row gets a larger
/// one.
const PIPE: usize = 64 * 1024;
const FULL_PIPES: u32 = 4;

type Buffer = Arc<Mutex<Box<[u8]>>>;

/// The output of one run. Dropping it changes nothing: output is carried as long as somebody holds
/// the other ends of the pipes.
#[derive(Debug)]
pub struct Capture {
    runtime: Handle,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    log: SlotLog,
    run: u64,
    /// Where the run's output begins in the log, once there is some.
    begins: OnceLock<u64>,
    buffer: Buffer,
    ends: Mutex<Ends>,
}

/// Our ends of the pipes.
struct Ends {
    pipes: Vec<Pipe>,
    tap: Option<Tap>,
}

struct Pipe {
    stream: Stream,
    reader: OutputReader,
    /// So many reads in a row have found it full.
    full: u32,
}

impl Capture {
    pub(super) fn start<const N: usize>(
        runtime: &Handle,
        buffer: &Buffer,
        log: SlotLog,
        run: u64,
        streams: [Stream; N],
        tap: Option<Tap>,
    ) -> io::Result<(Self, [OutputWriter; N])> {
        let (pipes, writers) = pipes(runtime, streams)?;
        let shared = Arc::new(Shared {
            log,
            run,
            begins: OnceLock::new(),
            buffer: Arc::clone(buffer),
            ends: Mutex::new(Ends { pipes, tap }),
        });
        let carrying = Arc::clone(&shared);
        let carry = poll_fn(move |context| carrying.poll(context));
        let task = runtime.spawn(carry).abort_handle();
        Ok((Self { runtime: runtime.clone(), shared, task }, writers))
    }

    /// Carries what is in the pipes by now, such as a dead leader's last words, and answers when that
    /// is in the log. Does not wait for end-of-file, but for the disk: who cannot wait for a disk
    /// that hangs sets a limit.
    pub async fn drain(&self) {
        // Fails if the thread has ended, when there is nothing left to carry.
        let _ = self.on_its_thread(Shared::drain).await;
    }

    /// The same, then closes our ends of the pipes: nobody of the run is left to write.
    pub async fn close(&self) {
        // As above.
        let _ = self.on_its_thread(Shared::close).await;
        self.task.abort();
    }

    /// As [`close`](Self::close), and answers what [`tail`](Self::tail) would after it: one turn of
    /// the thread, where a thousand runs may end at once.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub async fn close_with_tail(&self, lines: usize) -> io::Result<Vec<Line>> {
        let closed = self.on_its_thread(move |shared| {
            shared.close();
            shared.tail(lines)
        });
        let tail = closed.await;
        self.task.abort();
        tail.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// The last lines that the run has said so far, for a message. Waits for the disk, on the thread
    /// that does so anyway.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub async fn tail(&self, lines: usize) -> io::Result<Vec<Line>> {
        let tail = self.on_its_thread(move |shared| shared.tail(lines)).await;
        tail.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// None if the thread has ended.
    async fn on_its_thread<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Option<T> {
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move { f(&shared) }).await.ok()
    }
}

impl Shared {
    /// Carries until there is no more at the moment. Ready when there never will be.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut ends = self.ends();
        let mut buffer = lock(&self.buffer);
        let Ends { pipes, tap } = &mut *ends;
        pipes.retain_mut(|pipe| self.carry(pipe, tap, &mut buffer, context));
        if pipes.is_empty() {
            self.finish(&mut ends);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Answers whether there can be more.
    fn carry(
        &self,
        pipe: &mut Pipe,
        tap: &mut Option<Tap>,
        buffer: &mut [u8],
        context: &mut Context<'_>,
    ) -> bool {
        for _ in 0..TURN {
            // Polled once and dropped, so that nobody holds the buffer while there is no output.
            let read = pin!(pipe.reader.read(buffer)).poll(context);
            match read {
                Poll::Pending => return true,
                Poll::Ready(Ok(length @ 1..)) => {
                    pipe.grow_if_full(length);
                    self.take(pipe.stream, &buffer[..length], tap);
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.end(pipe.stream, tap);
                    return false;
                }
            }
        }
        context.waker().wake_by_ref();
        true
    }

    fn tail(&self, lines: usize) -> io::Result<Vec<Line>> {
        let Self { log, run, begins, .. } = self;
        let tail = |&begins| log.tail_from(Some(begins), *run, lines);
        begins.get().map_or_else(|| Ok(Vec::new()), tail)
    }

    fn drain(&self) {
        let mut ends = self.ends();
        let mut buffer = lock(&self.buffer);
        let Ends { pipes, tap } = &mut *ends;
        for pipe in pipes {
            // No more than there is now: somebody may be writing faster than we read.
            let mut left = pipe.reader.waiting().unwrap_or(0);
            while left > 0 {
                let Ok(length @ 1..) = pipe.reader.try_read(&mut buffer) else { break };
                self.take(pipe.stream, &buffer[..length], tap);
                left = left.saturating_sub(length);
            }
        }
    }

    fn close(&self) {
        self.drain();
        let mut ends = self.ends();
        let Ends { pipes, tap } = &mut *ends;
        pipes.drain(..).for_each(|pipe| self.end(pipe.stream, tap));
        self.finish(&mut ends);
    }

    fn take(&self, stream: Stream, bytes: &[u8], tap: &mut Option<Tap>) {
        // Where it cannot be told, the whole log is looked through.
        self.begins.get_or_init(|| self.log.end().unwrap_or(0));
        show(tap, stream, bytes);
        self.log.append(self.run, stream, bytes);
    }

    fn end(&self, stream: Stream, tap: &mut Option<Tap>) {
        show(tap, stream, &[]);
        self.log.end_stream(self.run, stream);
    }

    fn finish(&self, ends: &mut Ends) {
        ends.tap = None;
        self.log.rest();
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        lock(&self.ends)
    }
}

impl Pipe {
    fn grow_if_full(&mut self, length: usize) {
        self.full = if length < PIPE { 0 } else { self.full + 1 };
        if self.full == FULL_PIPES {
            self.reader.enlarge();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("log", &self.log)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

fn pipes<const N: usize>(
    runtime: &Handle,
    streams: [Stream; N],
) -> io::Result<(Vec<Pipe>, [OutputWriter; N])> {
    let _entered = runtime.enter();
    let mut pipes = Vec::with_capacity(N);
    let mut writers = Vec::with_capacity(N);
    for stream in streams {
        let (reader, writer) = output_pipe()?;
        pipes.push(Pipe { stream, reader, full: 0 });
        writers.push(writer);
    }
    let writers = writers.try_into().map_err(|_| io::Error::other("a pipe for each stream"))?;
    Ok((pipes, writers))
}

fn show(tap: &mut Option<Tap>, stream: Stream, bytes: &[u8]) {
    if tap.as_mut().is_some_and(|tap| tap(stream, bytes).is_break()) {
        *tap = None;
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
