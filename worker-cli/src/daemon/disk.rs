//! The thread that writes what outlives the daemon, in the order in which it happened: a disk that
//! hangs holds up neither supervision nor, for longer than [`PATIENCE`], an answer.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

/// How long an answer waits for a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(1);

/// Of a disk that hangs nothing more is asked while so many bytes wait for it.
const MOST_WAITING: usize = 4 << 20;

/// The way to the thread. Clones lead to the same one, which ends with the last of them.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    shared: Arc<Shared>,
    /// Only there to be dropped with the last clone.
    _open: Arc<Open>,
}

/// Where to write, and what becomes of it if that fails. Clones are the same.
#[derive(Clone)]
pub(super) struct Target(Arc<WriteTo>);

type WriteTo = dyn Fn(&[u8]) + Send + Sync;

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// So many were carried out.
    done: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Write>,
    /// So many were given.
    given: u64,
    /// So many bytes wait, with those that are being written.
    bytes: usize,
    /// When that was given which is being written.
    writing: Option<Instant>,
    is_closed: bool,
}

#[derive(Debug)]
struct Write {
    to: Target,
    bytes: Vec<u8>,
    /// When the first of it was given.
    given: Instant,
    /// The number of the last of it.
    latest: u64,
}

#[derive(Debug)]
struct Open(Arc<Shared>);

impl Target {
    pub(super) fn new(write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

impl Disk {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If there is no room for another one.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writer = Arc::clone(&shared);
        thread::Builder::new().name("disk".to_owned()).spawn(move || writer.carry_out())?;
        Ok(Self { _open: Arc::new(Open(Arc::clone(&shared))), shared })
    }

    /// Has a text written after everything before it; what comes for the same target meanwhile is
    /// written with it. `text` makes it. Never waits.
    ///
    /// # Errors
    ///
    /// If too much waits already, then nothing is made; or what the making failed with.
    pub(super) fn write(
        &self,
        to: &Target,
        text: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.bytes >= MOST_WAITING {
            return Err(io::Error::other("the disk hangs, and too much waits for it"));
        }
        state.add(to, text)?;
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Waits until everything before it is written, or was found not to be writable. Who cannot wait
    /// for a disk that hangs sets a limit.
    pub(super) async fn has_caught_up(&self) {
        let given = self.shared.state().given;
        // Cannot fail: we have the sender.
        let _ = self.shared.done.subscribe().wait_for(|done| *done >= given).await;
    }

    /// The same for whoever is to be told of it: for [`PATIENCE`] at most, and not at all while it hangs.
    pub(super) async fn has_caught_up_or_hangs(&self) {
        if self.hangs_for().is_none() {
            // Then it hangs.
            let _ = timeout(PATIENCE, self.has_caught_up()).await;
        }
    }

    /// For how long the disk has not taken what it was given; none if it keeps up.
    pub(super) fn hangs_for(&self) -> Option<Duration> {
        let given = self.shared.state().writing;
        given.map(|given| given.elapsed()).filter(|waited| *waited >= PATIENCE)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self) {
        while let Some(Write { to: Target(write), bytes, latest, .. }) = self.next() {
            write(&bytes);
            self.state().is_written(bytes.len());
            self.done.send_replace(latest);
        }
    }

    /// Waits for something to write; none after the last of a queue that is closed.
    fn next(&self) -> Option<Write> {
        let mut state = self.state();
        let is_idle = |state: &mut State| state.queue.is_empty() && !state.is_closed;
        state = self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        let write = state.queue.pop_front();
        state.writing = write.as_ref().map(|write| write.given);
        write
    }
}

impl State {
    fn add(
        &mut self,
        to: &Target,
        text: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let write = match self.queue.back_mut() {
            Some(write) if Arc::ptr_eq(&write.to.0, &to.0) => write,
            _ => self.queue.push_back_mut(Write::new(to.clone(), self.given)),
        };
        let before = write.bytes.len();
        text(&mut write.bytes).inspect_err(|_| write.bytes.truncate(before))?;
        self.given += 1;
        write.latest = self.given;
        self.bytes += write.bytes.len() - before;
        Ok(())
    }

    fn is_written(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.writing = None;
    }
}

impl Write {
    fn new(to: Target, latest: u64) -> Self {
        Self { to, bytes: Vec::new(), given: Instant::now(), latest }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Passes on what it writes.
    fn target() -> (Target, Receiver<Vec<u8>>) {
        let (written, seen) = channel();
        (Target::new(move |bytes| written.send(bytes.to_vec()).unwrap()), seen)
    }

    /// Has a disk hang until the sender is dropped.
    fn hang(disk: &Disk, bytes: usize) -> Sender<()> {
        let (release, held) = channel::<()>();
        let held = Mutex::new(held);
        let hanging = Target::new(move |_| assert!(held.lock().unwrap().recv().is_err()));
        give(disk, &hanging, &vec![0; bytes]).unwrap();
        release
    }

    fn give(disk: &Disk, to: &Target, text: &[u8]) -> io::Result<()> {
        disk.write(to, |into| {
            into.extend(text);
            Ok(())
        })
    }

    #[tokio::test]
    async fn what_is_given_is_written_in_order_before_it_has_caught_up() {
        let (disk, (target, seen)) = (Disk::start().unwrap(), target());
        for number in 0..100 {
            give(&disk, &target, &[number]).unwrap();
        }
        disk.has_caught_up().await;
        assert_eq!(seen.try_iter().flatten().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(disk.hangs_for(), None);
    }

    #[tokio::test]
    async fn what_follows_for_the_same_target_is_written_with_it() {
        let (disk, (target, seen)) = (Disk::start().unwrap(), target());
        let release = hang(&disk, 0);
        for text in [b"one ", b"two "] {
            give(&disk, &target, text).unwrap();
        }
        disk.write(&target, |into| {
            into.extend(b"half");
            Err(io::Error::other("no words"))
        })
        .unwrap_err();
        let other = hang(&disk, 0);
        give(&disk, &target, b"three").unwrap();
        drop((release, other));
        disk.has_caught_up().await;
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [&b"one two "[..], b"three"]);
    }

    #[tokio::test]
    async fn no_more_than_so_much_waits_for_a_disk_that_hangs() {
        let (disk, (target, seen)) = (Disk::start().unwrap(), target());
        let release = hang(&disk, MOST_WAITING);
        let made = disk.write(&target, |_| panic!("it is made for nothing"));
        assert!(made.unwrap_err().to_string().contains("hangs"));
        drop(release);
        disk.has_caught_up().await;
        give(&disk, &target, b"again").unwrap();
        assert_eq!(seen.recv().unwrap(), b"again");
    }

    #[tokio::test]
    async fn it_tells_that_it_hangs_until_it_does_not() {
        let disk = Disk::start().unwrap();
        let release = hang(&disk, 0);
        for _ in 0..2 {
            disk.has_caught_up_or_hangs().await;
            assert!(disk.hangs_for().is_some());
        }
        drop(release);
        disk.has_caught_up().await;
        assert_eq!(disk.hangs_for(), None);
    }

    #[test]
    fn the_thread_ends_with_the_last_clone_after_it_wrote_everything() {
        let (disk, (target, seen)) = (Disk::start().unwrap(), target());
        let release = hang(&disk, 0);
        give(&disk.clone(), &target, b"last").unwrap();
        drop((disk, target, release));
        assert_eq!(seen.recv().unwrap(), b"last");
        assert!(seen.recv().is_err(), "what it had is dropped");
    }
}
