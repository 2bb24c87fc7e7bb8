//! Linux: `/proc`, pidfds, the child subreaper.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::str::FromStr;
use std::sync::{Once, OnceLock};

use rustix::buffer::spare_capacity;
use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, openat, stat};
use rustix::io::{Errno, pread};
use rustix::param::clock_ticks_per_second;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::time::{ClockId, clock_gettime};

use super::{Inode, Process};
use crate::Pid;
use crate::state::Known;

pub(crate) use super::cgroup_events::{await_cgroup_change, is_populated, is_unpopulated_within};
pub(crate) use super::sock_diag::{any_connection, listeners};
pub(crate) use super::vfork::Vfork;

/// Whether a process that loses its parent in a tree of ours becomes our child.
pub(crate) const ORPHANS_FALL_TO_US: bool = true;

/// Orphans below us become our children from here on.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // The argument is only a truth value to the kernel.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(io::Error::from)
}

/// Names this boot of the machine.
pub(crate) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// When this process started.
pub(crate) fn own_start() -> u64 {
    process(own_pid()).map_or(0, |own| own.start)
}

/// When a process starts that starts now, as [`Process::start`] has it: `copy_process` in the
/// kernel's `kernel/fork.c` reads this clock, and field 22 of proc_pid_stat(5) is that in ticks.
pub(crate) fn start_now() -> Option<u64> {
    let since_boot = clock_gettime(ClockId::Boottime);
    let ticks = clock_ticks_per_second();
    let seconds = u64::try_from(since_boot.tv_sec).ok()?;
    let nanoseconds = u64::try_from(since_boot.tv_nsec).ok()?;
    Some(seconds * ticks + nanoseconds / (1_000_000_000 / ticks))
}

/// Names the process namespace that this process is in: the numbers of processes mean nothing in
/// another one. See pid_namespaces(7). 0 where there are none.
pub(crate) fn pid_namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;

    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

/// Whether processes can be looked at here by the numbers that we know them by: not where `/proc`
/// is missing or shows another process namespace.
pub(crate) fn can_look() -> bool {
    let seen = fs::read_link("/proc/self").ok();
    seen.is_some_and(|seen| seen.to_str() == Some(own_pid().to_string().as_str()))
}

/// Every process that can be seen.
pub(crate) fn all_processes() -> Vec<Process> {
    numbers_in("/proc").into_iter().filter_map(process).collect()
}

fn own_pid() -> Pid {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// Looks at a process, from `/proc/PID/stat`; see proc_pid_stat(5).
pub(crate) fn process(pid: Pid) -> Option<Process> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    parse_stat(pid, &stat)
}

fn parse_stat(pid: Pid, stat: &[u8]) -> Option<Process> {
    // The second field is the name in parentheses, which may itself hold spaces and parentheses.
    let behind_name = stat.iter().rposition(|&byte| byte == b')')? + 2;
    let mut fields = std::str::from_utf8(stat.get(behind_name..)?).ok()?.split(' ');
    let state = fields.next()?;
    Some(Process {
        pid,
        alive: !matches!(state, "Z" | "X"),
        parent: number(fields.next())?,
        group: number(fields.next())?,
        session: number(fields.next())?,
        start: number(fields.nth(15))?, // Field 22; the session is field 6.
    })
}

fn number<T: FromStr>(field: Option<&str>) -> Option<T> {
    field?.trim_end().parse().ok()
}

/// The environment that a process was started with, as it is now; none where it cannot be read.
pub(crate) fn environment(pid: Pid) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// Memory that a process would give back if it ended, in bytes: `RssAnon` + `RssShmem` of
/// proc_pid_status(5). Pages of files are left out, since the machine can drop them. Where the
/// kernel does not say (before 4.5), the resident pages less the shared ones of `statm`.
pub(crate) fn memory(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let anonymous = kibibytes(&status, "RssAnon:");
    let shared = kibibytes(&status, "RssShmem:");
    anonymous.map_or_else(
        || memory_from_statm(pid),
        |anonymous| Some((anonymous + shared.unwrap_or(0)) * 1024),
    )
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

fn memory_from_statm(pid: Pid) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let mut pages = statm.split(' ').skip(1).map_while(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next()?, pages.next()?);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}

/// Which of these sockets a process holds, from `/proc/PID/fd`; none if that cannot be read.
pub(crate) fn held_sockets(pid: Pid, wanted: &[Inode]) -> Option<Vec<Inode>> {
    let entries = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(Vec::new()), // It is gone.
    };
    let targets = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let sockets = targets.filter_map(|target| {
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        inode.parse().ok().map(Inode)
    });
    Some(sockets.filter(|inode| wanted.contains(inode)).collect())
}

/// Who is whose child.
///
/// Reads `/proc/PID/task/*/children`, which costs nothing for the rest of the machine. The kernel
/// may leave out children there while others are being *reaped*; so nothing may be reaped while we
/// list our own. Where it has no such file (no `CONFIG_PROC_CHILDREN`), one look at all processes.
pub(crate) enum Family {
    /// The kernel is asked for each parent.
    Asked,
    /// Every process, by its parent.
    Seen(HashMap<Pid, Vec<Pid>>),
}

impl Family {
    /// Looks now.
    pub(crate) fn now() -> Self {
        if children_are_listed() { Self::Asked } else { Self::Seen(all_by_parent()) }
    }

    /// The children of a process, dead ones included.
    pub(crate) fn children(&self, parent: Pid) -> Vec<Pid> {
        match self {
            Self::Asked => listed_children(parent),
            Self::Seen(by_parent) => by_parent.get(&parent).cloned().unwrap_or_default(),
        }
    }

    /// Our own children, dead ones included, but for some that we spawned: each one that came to
    /// us, provided that none is reaped meanwhile.
    ///
    /// An orphan is given to the first thread of its new parent that lives (`find_new_reaper` in
    /// the kernel's `kernel/exit.c`), which is the main thread of a process, and so are the
    /// children of a thread that ended. So one list has all that we do not know yet.
    pub(crate) fn own_children(&self) -> Vec<Pid> {
        let own = own_pid();
        match self {
            Self::Asked => children_of_thread(own, own),
            Self::Seen(_) => self.children(own),
        }
    }
}

/// The list of a process's children, kept open: to find it anew costs more than to read it.
#[derive(Debug)]
pub(crate) struct ChildList {
    pid: Pid,
    /// Its folder of threads.
    threads: OwnedFd,
    /// The children of its main thread.
    of_main: OwnedFd,
}

impl ChildList {
    /// None where the kernel has no such lists, or if the process is gone.
    pub(crate) fn open(pid: Pid) -> Option<Self> {
        if !children_are_listed() {
            return None;
        }
        let threads = open_to_read(CWD, &format!("/proc/{pid}/task"))?;
        let of_main = open_to_read(&threads, &format!("{pid}/children"))?;
        Some(Self { pid, threads, of_main })
    }

    /// The children at this moment, dead ones included.
    pub(crate) fn now(&self) -> Vec<Pid> {
        if !fstat(&self.threads).is_ok_and(|threads| has_one(&threads)) {
            return listed_children(self.pid);
        }
        read_all(&self.of_main).map_or_else(Vec::new, |listed| numbers(&listed))
    }
}

/// The list of our own children, kept open: to find it anew costs more than to read it.
#[derive(Debug)]
pub(crate) struct OwnChildren {
    list: Option<OwnedFd>,
}

impl OwnChildren {
    /// Opens the list of this process.
    pub(crate) fn open() -> Self {
        let own = own_pid();
        Self { list: open_to_read(CWD, &format!("/proc/{own}/task/{own}/children")) }
    }

    /// As [`Family::own_children`].
    pub(crate) fn now(&self) -> Vec<Pid> {
        let listed = self.list.as_ref().and_then(read_all);
        listed.map_or_else(|| Family::now().own_children(), |listed| numbers(&listed))
    }
}

fn children_are_listed() -> bool {
    static LISTED: OnceLock<bool> = OnceLock::new();
    *LISTED.get_or_init(|| {
        let listed = fs::exists("/proc/thread-self/children").unwrap_or(false);
        if !listed {
            tracing::warn!(
                "this kernel does not list children in /proc (CONFIG_PROC_CHILDREN): all \
                 processes of the machine are looked at instead, which is slower"
            );
        }
        listed
    })
}

fn listed_children(parent: Pid) -> Vec<Pid> {
    if has_one_thread(parent) {
        return children_of_thread(parent, parent);
    }
    let threads = threads(parent);
    threads.iter().flat_map(|&thread| children_of_thread(parent, thread)).collect()
}

fn has_one_thread(pid: Pid) -> bool {
    stat(format!("/proc/{pid}/task")).is_ok_and(|threads| has_one(&threads))
}

/// A process's folder of threads has one link for each, and the usual two.
fn has_one(threads: &Stat) -> bool {
    threads.st_nlink == 3
}

fn threads(pid: Pid) -> Vec<Pid> {
    numbers_in(&format!("/proc/{pid}/task"))
}

fn children_of_thread(pid: Pid, thread: Pid) -> Vec<Pid> {
    numbers(&read(&format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default())
}

/// Numbers with a space behind each.
fn numbers(list: &[u8]) -> Vec<Pid> {
    let numbers = list.split(|&byte| byte == b' ').map(std::str::from_utf8);
    numbers.flatten().filter_map(|number| number.parse().ok()).collect()
}

fn read(path: &str) -> Option<Vec<u8>> {
    read_all(&open_to_read(CWD, path)?)
}

fn open_to_read(folder: impl AsFd, path: &str) -> Option<OwnedFd> {
    openat(folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// The kernel fills up to a page before it lets a read of such a file return (`seq_read_iter` in its
/// `fs/seq_file.c`), so one that returns less than this has read all of it.
const SHORT: usize = 1024;

/// Reads a file of `/proc` that is made as it is read, from its beginning. Asks for no size as std
/// does, since there is none, nor for an end that is known: two calls less on the path from a crash to
/// the next run.
fn read_all(file: &OwnedFd) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(SHORT);
    loop {
        let offset = content.len() as u64;
        match pread(file, spare_capacity(&mut content), offset) {
            Ok(_) if content.len() == content.capacity() => content.reserve(content.len()),
            Ok(length) if length < SHORT => return Some(content),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

fn all_by_parent() -> HashMap<Pid, Vec<Pid>> {
    let mut by_parent: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for process in all_processes() {
        by_parent.entry(process.parent).or_default().push(process.pid);
    }
    by_parent
}

fn numbers_in(folder: &str) -> Vec<Pid> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Living processes of a run that do not hang under a child of ours: none here, since orphans fall
/// to us.
pub(crate) fn strays(_group: Pid, _known: &Known) -> Vec<Process> {
    Vec::new()
}

/// Tells when strays end. There are none here.
#[derive(Debug)]
pub(crate) struct StrayExits;

impl StrayExits {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn watch(&self, _stray: &Process) {}

    pub(crate) async fn next(&self) {
        std::future::pending().await
    }
}

/// Sends signals to exactly the process that was looked at, and to none that has its number now:
/// pins it, looks again, then signals through the pin.
pub(crate) fn signal_pinned(process: &Process, signals: &[Signal]) {
    let Some(pid) = rustix::process::Pid::from_raw(process.pid) else { return };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pin) if is_still(process) => signal_through(&pin, signals),
        Ok(_) | Err(Errno::SRCH) => {} // It is gone.
        Err(error) => {
            say_pins_are_missing(error);
            if is_still(process) {
                for &signal in signals {
                    let _ = rustix::process::kill_process(pid, signal);
                }
            }
        }
    }
}

/// Whether a process can be pinned.
pub(crate) fn has_pidfd() -> bool {
    pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).is_ok()
}

/// Whether a pin stands for the group of its process. We need not lead one: then the kernel finds
/// no group (ESRCH), but it knows the flag.
pub(crate) fn has_pidfd_group() -> bool {
    use std::os::fd::AsRawFd;

    const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;
    let Ok(pin) = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()) else { return false };
    // SAFETY: signal 0 is sent to nobody; the pointer to a siginfo may be null.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pin.as_raw_fd(),
            0,
            std::ptr::null::<libc::siginfo_t>(),
            PIDFD_SIGNAL_PROCESS_GROUP,
        )
    };
    sent == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

fn is_still(seen: &Process) -> bool {
    process(seen.pid).is_some_and(|now| now.start == seen.start)
}

fn signal_through(pin: &OwnedFd, signals: &[Signal]) {
    for &signal in signals {
        let _ = pidfd_send_signal(pin, signal); // It may be gone, or be another user's.
    }
}

fn say_pins_are_missing(error: Errno) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "processes cannot be pinned (pidfd_open: {error}): they are signalled by number right \
             after their start time was compared"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = b"7 (a) R 1 (b)) S 3 4 5 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 9876 1 2\n";
        let process = parse_stat(7, stat).unwrap();
        assert_eq!((process.parent, process.group, process.session), (3, 4, 5));
        assert_eq!(process.start, 9876);
        assert!(process.alive);
    }

    #[test]
    fn a_file_is_read_to_its_end_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 2 * SHORT, 4 * SHORT - 9, 10 * SHORT] {
            let path = folder.path().join(length.to_string());
            fs::write(&path, vec![b'x'; length]).unwrap();
            assert_eq!(read(path.to_str().unwrap()).unwrap().len(), length);
        }
    }

    #[test]
    fn this_process_is_seen_with_its_parent_and_memory() {
        let own = process(own_pid()).unwrap();
        assert_eq!(
            Some(own.parent),
            rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get())
        );
        assert!(own.alive);
        assert!(memory(own.pid).unwrap() > 0);
        assert!(memory_from_statm(own.pid).unwrap() > 0);
    }

    #[test]
    fn every_way_of_listing_finds_a_child_that_its_thread_left_behind() {
        let list = OwnChildren::open();
        let spawn = || {
            let mut sleep = std::process::Command::new("/bin/sleep");
            rustix::process::Pid::from_child(&sleep.arg("60").spawn().unwrap())
        };
        let number = std::thread::spawn(spawn).join().unwrap();
        let pid = number.as_raw_nonzero().get();
        // A thread can be joined a moment before the kernel has given its children away.
        while !Family::Asked.own_children().contains(&pid) {
            std::thread::yield_now();
        }
        assert!(Family::Seen(all_by_parent()).own_children().contains(&pid));
        assert!(list.now().contains(&pid), "a list that is open tells what is so now");
        rustix::process::kill_process(number, Signal::KILL).unwrap();
        rustix::process::waitpid(Some(number), rustix::process::WaitOptions::empty()).unwrap();
        assert!(!Family::Asked.own_children().contains(&pid));
        assert!(!list.now().contains(&pid));
    }
}
