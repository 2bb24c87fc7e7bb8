//! The thread that writes what outlives the daemon, in the order in which it happened: a disk that
//! hangs holds up neither supervision nor, for longer than [`PATIENCE`], an answer.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long an answer waits for a disk that hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Of a disk that hangs nothing more is asked while so many bytes wait for it.
const MOST_WAITING: usize = 4 << 20;

/// The way to the thread. Clones lead to the same one, which ends with the last of them.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    queue: Sender<Write>,
    load: Arc<Mutex<Load>>,
    /// So many were carried out.
    done: watch::Receiver<u64>,
}

struct Write {
    given: Instant,
    bytes: Vec<u8>,
    to: Box<Writer>,
}

type Writer = dyn FnOnce(&[u8]) + Send;

/// What was given, and waits.
#[derive(Debug, Default)]
struct Load {
    /// So many were given.
    given: u64,
    /// So many bytes wait.
    bytes: usize,
    /// When that was given which is being written.
    oldest: Option<Instant>,
}

impl Disk {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If there is no room for another one.
    pub(super) fn start() -> io::Result<Self> {
        let ((queue, writes), (tell, done)) = (channel(), watch::channel(0));
        let load = Arc::default();
        let shared = Arc::clone(&load);
        let carry_out = move || carry_out(&writes, &shared, &tell);
        thread::Builder::new().name("disk".to_owned()).spawn(carry_out)?;
        Ok(Self { queue, load, done })
    }

    /// Has `to` write what `text` makes, after everything before it. Never waits.
    ///
    /// # Errors
    ///
    /// If too much waits already, then nothing is made; or what the making failed with.
    pub(super) fn write(
        &self,
        text: impl FnOnce() -> io::Result<Vec<u8>>,
        to: impl FnOnce(&[u8]) + Send + 'static,
    ) -> io::Result<()> {
        if lock(&self.load).bytes >= MOST_WAITING {
            return Err(io::Error::other("the disk hangs, and too much waits for it"));
        }
        let (given, bytes) = (Instant::now(), text()?);
        let mut load = lock(&self.load);
        load.given += 1;
        load.bytes += bytes.len();
        drop(load);
        // Cannot fail: the thread lives as long as we do.
        let _ = self.queue.send(Write { given, bytes, to: Box::new(to) });
        Ok(())
    }

    /// Waits until everything before it is written, or was found not to be writable. Who cannot wait
    /// for a disk that hangs sets a limit.
    pub(super) async fn has_caught_up(&self) {
        let given = lock(&self.load).given;
        // Cannot fail, as above.
        let _ = self.done.clone().wait_for(|done| *done >= given).await;
    }

    /// For how long the disk has not taken what it was given; none if it keeps up.
    pub(super) fn hangs_for(&self) -> Option<Duration> {
        let oldest = lock(&self.load).oldest;
        oldest.map(|given| given.elapsed()).filter(|waited| *waited >= PATIENCE)
    }
}

fn carry_out(writes: &Receiver<Write>, load: &Mutex<Load>, done: &watch::Sender<u64>) {
    for Write { given, bytes, to } in writes {
        lock(load).oldest = Some(given);
        to(&bytes);
        let mut load = lock(load);
        load.bytes -= bytes.len();
        load.oldest = None;
        drop(load);
        done.send_modify(|done| *done += 1);
    }
}

fn lock(load: &Mutex<Load>) -> MutexGuard<'_, Load> {
    load.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it stands for what may fail")]
    fn nothing() -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// A disk that hangs until the sender is dropped.
    fn hanging() -> (Disk, Sender<()>) {
        let (disk, (release, held)) = (Disk::start().unwrap(), mpsc::channel());
        disk.write(nothing, move |_| assert!(held.recv().is_err())).unwrap();
        (disk, release)
    }

    #[tokio::test]
    async fn what_is_given_is_written_in_order_before_it_has_caught_up() {
        let (disk, (written, seen)) = (Disk::start().unwrap(), mpsc::channel());
        for number in 0..100_u8 {
            let written = written.clone();
            let note = move |bytes: &[u8]| written.send(bytes.to_vec()).unwrap();
            disk.write(|| Ok(vec![number]), note).unwrap();
        }
        disk.has_caught_up().await;
        assert_eq!(seen.try_iter().flatten().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(disk.hangs_for(), None);
    }

    #[tokio::test]
    async fn no_more_than_so_much_waits_for_a_disk_that_hangs() {
        let (disk, release) = hanging();
        disk.write(|| Ok(vec![0; MOST_WAITING]), |_| ()).unwrap();
        let made = disk.write(|| panic!("it is made for nothing"), |_| ());
        assert!(made.unwrap_err().to_string().contains("hangs"));
        drop(release);
        disk.has_caught_up().await;
        disk.write(nothing, |_| ()).unwrap();
    }

    #[tokio::test]
    async fn it_tells_that_it_hangs_until_it_does_not() {
        let (disk, release) = hanging();
        let waited = tokio::time::timeout(PATIENCE, disk.has_caught_up()).await;
        assert!(waited.is_err());
        assert!(disk.hangs_for().is_some());
        drop(release);
        disk.has_caught_up().await;
        assert_eq!(disk.hangs_for(), None);
    }

    #[test]
    fn the_thread_ends_with_the_last_clone_after_it_wrote_everything() {
        let (disk, release) = hanging();
        let (written, seen) = mpsc::channel();
        disk.clone().write(nothing, move |_| written.send("last").unwrap()).unwrap();
        drop(disk);
        drop(release);
        assert_eq!(seen.recv(), Ok("last"));
        assert!(seen.recv().is_err(), "what it had is dropped");
    }
}
