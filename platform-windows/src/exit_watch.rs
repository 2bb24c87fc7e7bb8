//! Sees a process end, without a thread for each.
//!
//! The thread pool of the system waits for up to 63 processes on one thread
//! (`RegisterWaitForSingleObject`). A thread of our own per leader would do as well, and cost a
//! stack for each of a thousand slots.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;

use tokio::sync::watch;
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};
use worker_core::Exit;

use crate::process;

/// Knows how a process ended, once it has.
#[derive(Debug)]
pub(crate) struct ExitWatch {
    /// Goes before `watched`, which its callback uses.
    _registration: Registration,
    watched: Arc<Watched>,
}

/// What the thread pool needs to tell of an end.
#[derive(Debug)]
struct Watched {
    process: Arc<OwnedHandle>,
    exit: watch::Sender<Option<Exit>>,
}

impl ExitWatch {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// The thread pool has no room.
    pub(crate) fn new(process: Arc<OwnedHandle>) -> io::Result<Self> {
        let watched = Arc::new(Watched { process, exit: watch::Sender::new(None) });
        let registration = Registration::new(&watched)?;
        Ok(Self { _registration: registration, watched })
    }

    /// How the process ended, once it has.
    pub(crate) async fn exit(&self) -> Exit {
        let mut exit = self.watched.exit.subscribe();
        let known = exit.wait_for(Option::is_some).await;
        // The sender lives as long as we do, so there is a value.
        known.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }
}

/// A wait that is registered with the thread pool.
#[derive(Debug)]
struct Registration(HANDLE);

// SAFETY: a wait handle is a name that any thread may unregister; it is used in `drop` only.
unsafe impl Send for Registration {}
// SAFETY: there is nothing to call by reference.
unsafe impl Sync for Registration {}

impl Registration {
    fn new(watched: &Watched) -> io::Result<Self> {
        let mut wait: HANDLE = ptr::null_mut();
        // SAFETY: the owner of this registration keeps `watched` at its place until the wait is
        // unregistered, and `watched` keeps the process handle open.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                watched.process.as_raw_handle(),
                Some(on_exit),
                ptr::from_ref(watched).cast(),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        if registered == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(wait)) }
    }
}

/// Waits for a callback that is running. It wakes tasks and returns, so that takes microseconds.
impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: the handle comes from `RegisterWaitForSingleObject`, and is not used again.
        unsafe { UnregisterWaitEx(self.0, INVALID_HANDLE_VALUE) };
    }
}

/// Called once, on a thread of the pool, when the process has ended.
unsafe extern "system" fn on_exit(watched: *mut c_void, _timed_out: bool) {
    // SAFETY: it is what `Registration::new` passed, and lives until the registration is
    // dropped, which waits for us.
    let watched = unsafe { &*watched.cast::<Watched>() };
    watched.exit.send_replace(Some(process::exit(&watched.process)));
}
