//! The file `cgroup.events`, which tells whether a process lives in a cgroup, and when that changes:
//! `poll(2)` finds it ready for `POLLPRI` when its content changed since it was read.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How often it is looked at where it cannot be waited for, such as without a free descriptor.
const INTERVAL: Duration = Duration::from_millis(10);

/// Whether a process lives there. False if the cgroup is gone; true if that cannot be seen.
pub(crate) fn is_populated(events: &Path) -> bool {
    File::open(events).and_then(|mut file| read(&mut file)).unwrap_or_else(|error| !is_gone(&error))
}

/// Waits until no process lives there, for so long at most. False if one does.
pub(crate) fn is_unpopulated_within(events: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let Ok(mut file) = File::open(events) else { return !is_populated(events) };
    loop {
        match read(&mut file) {
            Ok(false) => return true,
            Err(error) => return is_gone(&error),
            Ok(true) => {}
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let left = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&file, PollFlags::PRI)], left.as_ref());
    }
}

/// Waits until something has changed there, or until no process lives there.
///
/// # Panics
///
/// Outside of a tokio runtime with io enabled; with time where it cannot be waited for.
pub(crate) async fn await_cgroup_change(events: &Path) {
    let changed = match watch(events) {
        Ok(Some(file)) => file.ready(Interest::PRIORITY).await.map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if changed.is_err_and(|error| !is_gone(&error)) {
        tokio::time::sleep(INTERVAL).await;
    }
}

/// None if no process lives there.
fn watch(events: &Path) -> io::Result<Option<AsyncFd<File>>> {
    let mut file = File::open(events)?;
    if !read(&mut file)? {
        return Ok(None);
    }
    // A change after the reading makes it ready.
    // SAFETY: a `File` is the same descriptor, open, for as long as it lives.
    let file = unsafe { AsyncFd::register_with_interest(file, Interest::PRIORITY) }?;
    Ok(Some(file))
}

fn read(file: &mut File) -> io::Result<bool> {
    let mut events = String::new();
    file.rewind()?;
    file.read_to_string(&mut events)?;
    Ok(events.lines().any(|line| line == "populated 1"))
}

/// A file that was opened before its cgroup was removed says ENODEV.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}
