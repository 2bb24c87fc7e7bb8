//! macOS: libproc, kqueue.
//!
//! There is no subreaper, no way to pin a process, and the end of a process is told to its parent
//! alone. So what left a run's group is known only if it was seen below one of its processes, and
//! its end is told by a kqueue. A number may have come to mean another process between the
//! comparison of the start time and the signal: that window is a few microseconds.

use std::ffi::OsStr;
use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
use rustix::process::{Rlimit, Signal, kill_process};
use tokio::io::unix::AsyncFd;

use super::{Inode, Process};
use crate::Pid;
use crate::command::Command;
use crate::state::Known;

/// Whether a process that loses its parent in a tree of ours becomes our child.
pub(crate) const ORPHANS_FALL_TO_US: bool = false;

/// There is nothing like a child subreaper here; the crate's documentation says what follows.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Names this boot of the machine.
pub(crate) fn boot_id() -> String {
    let mut id = [0_u8; 64];
    let mut length = id.len();
    // SAFETY: the name ends with a NUL, and `id` has room for `length` bytes.
    let failed = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            id.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    let length = if failed == 0 { length } else { 0 };
    String::from_utf8_lossy(&id[..length]).trim_end_matches('\0').to_owned()
}

/// When a process starts that starts now: told by no clock that could be read here.
pub(crate) fn start_now() -> Option<u64> {
    None
}

/// When this process started, in microseconds since 1970.
pub(crate) fn own_start() -> u64 {
    process(own_pid()).map_or(0, |own| own.start)
}

/// There are no process namespaces here.
pub(crate) fn pid_namespace() -> u64 {
    0
}

/// Whether processes can be looked at: always.
pub(crate) fn can_look() -> bool {
    true
}

/// Every process that can be seen, zombies left out.
pub(crate) fn all_processes() -> Vec<Process> {
    // SAFETY: the list is called with a buffer and its size in bytes, as `list` promises.
    let pids = list(|buffer, size| unsafe { libc::proc_listallpids(buffer, size) });
    pids.into_iter().filter_map(process).collect()
}

fn own_pid() -> Pid {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// Looks at a process; none if it is a zombie.
pub(crate) fn process(pid: Pid) -> Option<Process> {
    // SAFETY: all-zero bytes are a valid `proc_bsdinfo`, which is plain data.
    let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: `info` is valid for writes of `size` bytes.
    let written =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, (&raw mut info).cast(), size) };
    (written == size).then_some(Process {
        pid,
        parent: Pid::try_from(info.pbi_ppid).ok()?,
        group: Pid::try_from(info.pbi_pgid).ok()?,
        // SAFETY: looks up a number, and touches no memory of ours.
        session: unsafe { libc::getsid(pid) },
        start: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec,
        alive: true,
    })
}

/// The environment that a process of ours was started with; none where it cannot be read.
pub(crate) fn environment(pid: Pid) -> Option<Vec<u8>> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut text = vec![0_u8; 1 << 20]; // ARG_MAX of xnu.
    let mut length = text.len();
    // SAFETY: `name` has three numbers, and `text` room for `length` bytes.
    let failed = unsafe {
        libc::sysctl(
            name.as_mut_ptr(),
            3,
            text.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    text.truncate(length);
    if failed == 0 { behind_arguments(&text).map(<[u8]>::to_vec) } else { None }
}

/// The kernel answers with the number of arguments, the path of the program, zeroes, the arguments,
/// and then the environment (`sysctl_procargsx` in xnu's `bsd/kern/kern_sysctl.c`).
fn behind_arguments(text: &[u8]) -> Option<&[u8]> {
    let (count, text) = text.split_first_chunk()?;
    let path = text.iter().position(|&byte| byte == 0)?;
    let zeroes = text[path..].iter().position(|&byte| byte != 0)?;
    let mut rest = &text[path + zeroes..];
    for _ in 0..i32::from_ne_bytes(*count) {
        let end = rest.iter().position(|&byte| byte == 0)?;
        rest = &rest[end + 1..];
    }
    Some(rest)
}

/// The physical footprint of a process in bytes, which is what Activity Monitor shows.
pub(crate) fn memory(pid: Pid) -> Option<u64> {
    // SAFETY: all-zero bytes are a valid `rusage_info_v0`, which is plain data.
    let mut usage: libc::rusage_info_v0 = unsafe { std::mem::zeroed() };
    // SAFETY: the flavour says that `usage` is what is written to.
    let failed =
        unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V0, (&raw mut usage).cast()) };
    (failed == 0).then_some(usage.ri_phys_footprint)
}

/// None if somebody listens, since whose the socket is cannot be told; no socket if nobody does.
/// There is no table to look at, so it tries to connect.
pub(crate) fn listeners(port: u16) -> Option<Vec<Inode>> {
    let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let answers = addresses.into_iter().any(|address| {
        let limit = Duration::from_millis(100);
        TcpStream::connect_timeout(&SocketAddr::new(address, port), limit).is_ok()
    });
    if answers { None } else { Some(Vec::new()) }
}

/// Connections cannot be read.
pub(crate) fn any_connection(_ports: RangeInclusive<u16>) -> Option<bool> {
    None
}

/// Sockets cannot be told apart.
pub(crate) fn held_sockets(_pid: Pid, _wanted: &[Inode]) -> Option<Vec<Inode>> {
    None
}

/// Spawns children at a cost that does not grow. There is no such thing here.
#[derive(Debug)]
pub(crate) enum Vfork {}

impl Vfork {
    pub(crate) fn new() -> Option<Self> {
        None
    }

    pub(crate) fn spawn(
        &mut self,
        _command: &Command,
        _marker: &OsStr,
        _open_files: Option<Rlimit>,
    ) -> io::Result<Pid> {
        match *self {}
    }
}

/// Who is whose child.
pub(crate) struct Family;

impl Family {
    pub(crate) fn now() -> Self {
        Self
    }

    /// The children of a process.
    #[expect(clippy::unused_self, reason = "on Linux it may hold what was seen")]
    pub(crate) fn children(&self, parent: Pid) -> Vec<Pid> {
        // SAFETY: the list is called with a buffer and its size in bytes, as `list` promises.
        list(|buffer, size| unsafe { libc::proc_listchildpids(parent, buffer, size) })
    }

    /// Our own children.
    pub(crate) fn own_children(&self) -> Vec<Pid> {
        self.children(own_pid())
    }
}

/// The list of a process's children, kept open. There is no such thing here.
#[derive(Debug)]
pub(crate) enum ChildList {}

impl ChildList {
    pub(crate) fn open(_pid: Pid) -> Option<Self> {
        None
    }

    pub(crate) fn now(&self) -> Vec<Pid> {
        match *self {}
    }
}

/// The list of our own children.
#[derive(Debug)]
pub(crate) struct OwnChildren;

impl OwnChildren {
    /// On Linux it is a file that is kept open.
    pub(crate) fn open() -> Self {
        Self
    }

    /// As [`Family::own_children`].
    #[expect(clippy::unused_self, reason = "on Linux it is a file that is kept open")]
    pub(crate) fn now(&self) -> Vec<Pid> {
        Family::now().own_children()
    }
}

/// Calls a function of libproc that fills a buffer with numbers and returns how many, with a
/// buffer that was large enough.
fn list(fill: impl Fn(*mut libc::c_void, i32) -> i32) -> Vec<Pid> {
    let mut pids: Vec<Pid> = vec![0; 256];
    loop {
        let size = i32::try_from(pids.len() * size_of::<Pid>()).unwrap_or(i32::MAX);
        let count = usize::try_from(fill(pids.as_mut_ptr().cast(), size)).unwrap_or(0);
        if count < pids.len() {
            pids.truncate(count);
            return pids;
        }
        pids.resize(pids.len() * 2, 0);
    }
}

/// Living processes of a run that need not hang under a child of ours: the leader's group, and what
/// was seen below a process of the run.
pub(crate) fn strays(group: Pid, known: &Known) -> Vec<Process> {
    // SAFETY: the list is called with a buffer and its size in bytes, as `list` promises.
    let members = list(|buffer, size| unsafe { libc::proc_listpgrppids(group, buffer, size) });
    let mut strays: Vec<_> = members.into_iter().filter_map(process).collect();
    let known =
        known.iter().filter_map(|seen| process(seen.pid).filter(|now| now.start == seen.start));
    let known: Vec<_> =
        known.filter(|seen| strays.iter().all(|stray| stray.pid != seen.pid)).collect();
    strays.extend(known);
    strays
}

/// Tells when strays end.
#[derive(Debug)]
pub(crate) struct StrayExits {
    queue: AsyncFd<OwnedFd>,
}

impl StrayExits {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is the same descriptor, open, for as long as it lives.
        let queue = unsafe { AsyncFd::register(kqueue()?)? };
        Ok(Self { queue })
    }

    /// Has the end of this process told. One that ended meanwhile is told at once.
    pub(crate) fn watch(&self, stray: &Process) {
        let Some(pid) = rustix::process::Pid::from_raw(stray.pid) else { return };
        let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
        let flags = EventFlags::ADD | EventFlags::ONESHOT;
        let event = Event::new(filter, flags, std::ptr::null_mut());
        let mut none: [Event; 0] = [];
        // SAFETY: the event borrows no descriptor.
        let _ = unsafe { kevent(self.queue.get_ref(), &[event], &mut none, None) };
    }

    /// Waits until a watched process has ended.
    pub(crate) async fn next(&self) {
        let Ok(mut ready) = self.queue.readable().await else { return };
        let mut events = Vec::with_capacity(64);
        let buffer = rustix::buffer::spare_capacity(&mut events);
        // SAFETY: no event is registered here.
        let _ = unsafe { kevent(self.queue.get_ref(), &[], buffer, Some(Duration::ZERO)) };
        ready.clear_ready();
    }
}

/// There are no cgroups.
pub(crate) fn is_populated(_events: &Path) -> bool {
    false
}

/// There are no cgroups.
pub(crate) fn is_unpopulated_within(_events: &Path, _patience: Duration) -> bool {
    true
}

/// There are no cgroups.
pub(crate) async fn await_cgroup_change(_events: &Path) {
    std::future::pending().await
}

/// Nothing can be pinned here.
pub(crate) fn has_pidfd() -> bool {
    false
}

/// Nothing can be pinned here.
pub(crate) fn has_pidfd_group() -> bool {
    false
}

/// Sends signals to the process that was looked at, if its number still means it.
pub(crate) fn signal_pinned(process: &Process, signals: &[Signal]) {
    let is_still = self::process(process.pid).is_some_and(|now| now.start == process.start);
    let Some(pid) = rustix::process::Pid::from_raw(process.pid).filter(|_| is_still) else {
        return;
    };
    for &signal in signals {
        let _ = kill_process(pid, signal); // It may be gone, or be another user's.
    }
}
