//! Spawning at a cost that does not grow with what we have open.
//!
//! `posix_spawn` copies our table of descriptors for the child, which closes each of them when it
//! executes its program. With two pipes for each of many slots, that is more work than all the rest.
//! Here the child shares the table (`CLONE_FILES`) and parts from it with a copy of its first few
//! descriptors (`CLOSE_RANGE_UNSHARE` in close_range(2), Linux 5.9), among which is what it needs.
//!
//! As with vfork(2), and within `posix_spawn`, it also shares our memory until it executes its
//! program, and this thread waits for that.

use std::ffi::{CString, OsStr, OsString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{DupFlags, dup3, fcntl_dupfd_cloexec};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use rustix::process::Rlimit;

use crate::Pid;
use crate::c_strings::pointers;
use crate::command::{Command, Input, Output};
use crate::marker::MARKER;
use crate::mask::{Blocked, TERMINAL_STOPS};
use crate::signal::LAST_SIGNAL;

/// What the child runs on has so many bytes. Its deepest call is one into the C library.
const STACK: usize = 64 * 1024;

/// As many bytes below it that may not be touched; a multiple of any page size.
const GUARD: usize = 64 * 1024;

/// Numbers below this are for the standard streams.
const FIRST_OTHER: RawFd = 3;

/// Spawns children.
#[derive(Debug)]
pub(crate) struct Vfork {
    /// `/dev/null`, under a low number.
    null: OwnedFd,
    /// Low numbers for what the outputs of a child go to; `/dev/null` between two spawns.
    outputs: [OwnedFd; 2],
    stack: Stack,
}

impl Vfork {
    /// None where the kernel is too old or does not let us, or where it is an emulator that has no such
    /// children (qemu-user).
    pub(crate) fn new() -> Option<Self> {
        let opened =
            openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let low = || fcntl_dupfd_cloexec(&opened, FIRST_OTHER).ok();
        let mut vfork = Self { null: low()?, outputs: [low()?, low()?], stack: Stack::new()? };
        vfork.works().then_some(vfork)
    }

    /// Whether a child hears that there is no program without a name, and we hear it from the child.
    fn works(&mut self) -> bool {
        match self.spawn(&alone(""), OsStr::new(""), None) {
            Ok(unheard) => {
                crate::wait::reap_soon(unheard);
                false
            }
            Err(error) => error.raw_os_error() == Some(libc::ENOENT),
        }
    }

    /// Spawns the leader of a group of its own, with no signal blocked, as [`Command`] says. Answers
    /// when it executes its program.
    ///
    /// `open_files`: how many it may have open, if not as many as we may.
    ///
    /// # Errors
    ///
    /// As clone(2), chdir(2) and execve(2), and if something of it contains a zero byte.
    pub(crate) fn spawn(
        &mut self,
        command: &Command,
        marker: &OsStr,
        open_files: Option<Rlimit>,
    ) -> io::Result<Pid> {
        let image = Image::of(command, marker)?;
        let (args, env) = (pointers(&image.args), pointers(&image.env));
        let numbers = [&self.null, &self.outputs[0], &self.outputs[1]].map(AsRawFd::as_raw_fd);
        let spawned = self.streams(command).and_then(|streams| {
            self.stack.run(&Child {
                folder: image.folder.as_ptr(),
                args: args.as_ptr(),
                env: env.as_ptr(),
                streams,
                first_unwanted: numbers.into_iter().max().unwrap_or_default() + 1,
                open_files: open_files.map(native_limit),
                error: AtomicI32::new(0),
            })
        });
        self.let_go();
        spawned
    }

    /// Where each standard stream of the child comes from, under a low number; none for our own.
    fn streams(&mut self, command: &Command) -> io::Result<[Option<RawFd>; 3]> {
        let null = self.null.as_raw_fd();
        let stdin = match command.stdin {
            Input::Null => Some(null),
            Input::Inherit => None,
        };
        let mut streams = [stdin, None, None];
        let outputs = [&command.stdout, &command.stderr].into_iter().zip(&mut self.outputs);
        for (stream, (output, low)) in streams[1..].iter_mut().zip(outputs) {
            *stream = match output {
                Output::Inherit => None,
                Output::Null => Some(null),
                Output::Pipe(writer) => {
                    dup3(writer.as_fd(), low, DupFlags::CLOEXEC)?;
                    Some(low.as_raw_fd())
                }
            };
        }
        Ok(streams)
    }

    /// Whoever reads from a pipe sees its end only if we do not hold the other one.
    fn let_go(&mut self) {
        for low in &mut self.outputs {
            // Its number is in use, so none can be lacking.
            let _ = dup3(&self.null, low, DupFlags::CLOEXEC);
        }
    }
}

/// A program and nothing else.
fn alone(program: &str) -> Command {
    Command {
        program: program.into(),
        args: Vec::new(),
        env: Vec::new(),
        dir: "/".into(),
        task_limit: None,
        stdin: Input::Null,
        stdout: Output::Null,
        stderr: Output::Null,
    }
}

/// What is to be executed, in the words of the kernel.
struct Image {
    folder: CString,
    /// The program itself first.
    args: Vec<CString>,
    env: Vec<CString>,
}

impl Image {
    fn of(command: &Command, marker: &OsStr) -> io::Result<Self> {
        let program = command.program.as_os_str();
        let args = [program].into_iter().chain(command.args.iter().map(OsString::as_os_str));
        let env = command.variables().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        let env = env.chain([(OsStr::new(MARKER), marker)]);
        let env = env.map(|(name, value)| c_string(&[name, OsStr::new("="), value]));
        Ok(Self {
            folder: c_string(&[command.dir.as_os_str()])?,
            args: args.map(|arg| c_string(&[arg])).collect::<io::Result<_>>()?,
            env: env.collect::<io::Result<_>>()?,
        })
    }
}

fn c_string(parts: &[&OsStr]) -> io::Result<CString> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 1);
    parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
    Ok(CString::new(bytes)?)
}

fn native_limit(limit: Rlimit) -> libc::rlimit {
    let native = |value: Option<u64>| value.unwrap_or(libc::RLIM_INFINITY);
    libc::rlimit { rlim_cur: native(limit.current), rlim_max: native(limit.maximum) }
}

/// What a child runs on until it executes its program.
#[derive(Debug)]
struct Stack {
    /// The lowest address.
    bottom: *mut c_void,
}

// SAFETY: it owns the memory, which no thread has a share in.
unsafe impl Send for Stack {}

impl Stack {
    fn new() -> Option<Self> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: the kernel chooses a place where nothing is.
        let bottom = unsafe { mmap_anonymous(ptr::null_mut(), GUARD + STACK, access, flags) };
        let stack = Self { bottom: bottom.ok()? };
        // SAFETY: it is the lower part of what was mapped just now.
        unsafe { mprotect(stack.bottom, GUARD, MprotectFlags::empty()) }.ok()?;
        Some(stack)
    }

    /// Runs the child, and waits until it has executed its program or given up.
    fn run(&mut self, child: &Child) -> io::Result<Pid> {
        const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::SIGCHLD;
        // The child must not run a handler of ours: what it did would be done to us.
        let blocked = Blocked::all();
        let argument = ptr::from_ref(child).cast_mut().cast();
        // SAFETY: the stack ends (it grows downwards) where the mapping does, is aligned, and is used
        // by nobody else, since `self` is borrowed until the child is done with it. `Child` outlives
        // that, and the child only changes its atomic.
        let pid = unsafe {
            let top = self.bottom.byte_add(GUARD + STACK);
            libc::clone(begin, top, FLAGS, argument)
        };
        let cloned = if pid == -1 { Err(io::Error::last_os_error()) } else { Ok(pid) };
        drop(blocked);
        let pid = cloned?;
        match child.error.load(Ordering::Relaxed) {
            0 => Ok(pid),
            error => {
                crate::wait::reap_soon(pid);
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: no child runs on it any more, as `run` waits for that.
        let _ = unsafe { munmap(self.bottom, GUARD + STACK) };
    }
}

/// What the child has to do.
struct Child {
    folder: *const c_char,
    /// The program itself first.
    args: *const *const c_char,
    env: *const *const c_char,
    streams: [Option<RawFd>; 3],
    /// From this number on, descriptors are not for the child.
    first_unwanted: RawFd,
    open_files: Option<libc::rlimit>,
    /// Why it has given up.
    error: AtomicI32,
}

/// Where the child begins. What it returns is its exit code.
extern "C" fn begin(child: *mut c_void) -> c_int {
    // SAFETY: `Stack::run` hands over a `Child`, and waits until it is not used any more.
    let child = unsafe { &*child.cast::<Child>() };
    if let Err(error) = child.execute() {
        child.error.store(error, Ordering::Relaxed);
    }
    127
}

/// Ok if the call succeeded, else the number of the error.
fn check(returned: c_int) -> Result<(), c_int> {
    if returned != -1 {
        return Ok(());
    }
    Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// All of this happens in the child. It shares our memory: nothing here may allocate, panic, take a
/// lock, or change what is not its own.
impl Child {
    /// Returns only if something fails.
    fn execute(&self) -> Result<(), c_int> {
        // SAFETY: these calls change only the child, which has descriptors and signals of its own by
        // now. The pointers are those of `Image`, which outlives this.
        unsafe {
            check(libc::setpgid(0, 0))?;
            reset_signals()?;
            self.take_descriptors()?;
            if let Some(limit) = &self.open_files {
                // Fails where somebody has lowered ours, or the machine's, since: it has that then.
                libc::setrlimit(libc::RLIMIT_NOFILE, ptr::from_ref(limit));
            }
            check(libc::chdir(self.folder))?;
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            check(libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()))?;
            check(libc::execve(*self.args, self.args, self.env))
        }
    }

    /// # Safety
    ///
    /// Only in the child.
    unsafe fn take_descriptors(&self) -> Result<(), c_int> {
        // SAFETY: the table is not shared any more behind the first call.
        unsafe {
            let unshared = libc::syscall(
                libc::SYS_close_range,
                self.first_unwanted,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_UNSHARE,
            );
            check(if unshared == -1 { -1 } else { 0 })?;
            for (stream, source) in (0..).zip(self.streams) {
                if let Some(source) = source {
                    check(libc::dup2(source, stream))?;
                }
            }
        }
        Ok(())
    }
}

/// No handler of ours is left. What was ignored stays so, but for SIGPIPE, which the standard library
/// ignores.
///
/// A stop from the terminal that came while the child was still in our group was meant for us, and is
/// taken back: nobody would continue it there, and we wait for it.
///
/// # Safety
///
/// Only in the child.
unsafe fn reset_signals() -> Result<(), c_int> {
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: only in the child. Neither of the two is a handler that could be wrong.
        unsafe {
            let before = exchange(signal, None)?;
            let is_ignored = before == libc::SIG_IGN && signal != libc::SIGPIPE;
            if is_ignored {
                continue;
            }
            if TERMINAL_STOPS.contains(&signal) {
                exchange(signal, Some(libc::SIG_IGN))?;
                exchange(signal, Some(libc::SIG_DFL))?;
            } else if before != libc::SIG_DFL {
                exchange(signal, Some(libc::SIG_DFL))?;
            }
        }
    }
    Ok(())
}

/// What the kernel knows as the action for a signal: the handler stands first. All else is zero in
/// those that we set. A few machines have it otherwise (MIPS, SPARC), but with another length of the
/// mask, so that the kernel refuses this one.
#[repr(C)]
struct Action(libc::sighandler_t, [u64; 4]);

/// Sets a handler, if there is one to set, and answers which it was.
///
/// For SIGABRT, sigaction(2) of the C library takes a lock that abort(3) takes as well (musl, and glibc
/// from 2.41 on): it would stay locked in us if the child was killed meanwhile.
///
/// # Safety
///
/// Only in the child, and the handler must be a valid one.
unsafe fn exchange(
    signal: c_int,
    handler: Option<libc::sighandler_t>,
) -> Result<libc::sighandler_t, c_int> {
    const MASK: usize = 8;
    let new = handler.map(|handler| Action(handler, [0; 4]));
    let new = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    let mut old = Action(libc::SIG_DFL, [0; 4]);
    // SAFETY: both are valid for the call, and no shorter than what the kernel reads and writes.
    let done = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, &raw mut old, MASK) };
    check(if done == -1 { -1 } else { 0 })?;
    Ok(old.0)
}

#[cfg(test)]
mod tests {
    use worker_core::Exit;

    use super::*;

    #[test]
    fn a_limit_that_may_not_be_set_fails_no_start() {
        let Some(mut vfork) = Vfork::new() else { return };
        // More than fs.nr_open can be, which holds for root as well.
        let limit = Rlimit { current: None, maximum: None };
        let pid = vfork.spawn(&alone("/bin/true"), OsStr::new("marker"), Some(limit)).unwrap();
        let dead = crate::wait::reap_soon(pid).unwrap();
        assert_eq!(dead.exit, Exit::Code(0));
    }

    #[test]
    fn the_kernel_and_the_library_agree_on_what_is_set() {
        let signal = libc::SIGRTMAX(); // Which nobody else in this process has a use for.
        // SAFETY: no handler is set that could be wrong.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
            assert_eq!(exchange(signal, None), Ok(libc::SIG_IGN));
            assert_eq!(exchange(signal, Some(libc::SIG_DFL)), Ok(libc::SIG_IGN));
            assert_eq!(libc::signal(signal, libc::SIG_DFL), libc::SIG_DFL);
        }
    }
}
