//! The daemon: the one supervisor of a user, with many slots of many projects.
//!
//! `requests` carries out what is asked of slots, `up` what is asked of projects, `answers` says how
//! things are. All of them ask the driver, whose core decides; the `observer` notes what happens, in
//! the `registry` and, for the next daemon, in the `store`.

mod absent;
mod answers;
mod deaths;
mod disk;
mod event_hub;
mod folders;
mod host;
pub mod http;
mod json_lines;
mod lock;
mod observer;
mod outcome;
mod port_holder;
pub mod process;
mod record;
mod registry;
mod requests;
mod resume;
mod status;
mod store;
mod up;
mod waiting;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio::time::timeout;
use worker_core::{Instant, Settings, Urgency};
use worker_platform_unix::{SupervisorId, UnixPlatform};

use self::disk::Disk;
use self::host::SlotHost;
use self::observer::Observer;
use self::registry::Registry;
use self::store::{Opened, Store};
use crate::clock::Clock;
use crate::driver::{Driver, Handle};

pub use self::event_hub::{EventHub, EventReader, EventRecord};
pub use self::lock::{Holder, Lock, Try};

pub(crate) use self::absent::put_to_rest;
pub(crate) use self::lock::make_state_dir;

/// How long the end waits for a disk that hangs.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// What the control API speaks to. Clones are the same daemon.
#[derive(Clone)]
pub struct Daemon {
    shared: Arc<Shared>,
}

struct Shared {
    state_dir: Arc<Path>,
    registry: Arc<Mutex<Registry>>,
    disk: Disk,
    host: SlotHost,
    driver: Handle,
    events: Arc<EventHub>,
    /// What was said at the start, for `doctor` and `status`.
    warnings: Vec<String>,
    /// One at a time applies configurations.
    applying: tokio::sync::Mutex<()>,
    closed: watch::Sender<bool>,
}

impl Daemon {
    /// A daemon with what its state folder tells of the one before, and the loop that has to run as
    /// long as it lives. Slots that were to run are started by [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// If the state folder cannot be used.
    pub fn open(
        state_dir: PathBuf,
        platform: UnixPlatform,
        settings: Settings,
    ) -> io::Result<(Self, impl Future<Output = ()> + use<>)> {
        let boot = SupervisorId::of_this_process().boot;
        let disk = Disk::start()?;
        let Opened { store, slots, aside } = Store::open(&state_dir, &boot, disk.clone())?;
        let warnings = aside.map(|aside| aside.to_string());
        let state_dir: Arc<Path> = state_dir.into();
        let registry = Arc::new(Mutex::new(Registry::new(Arc::clone(&state_dir), store, slots)));
        let host = SlotHost::new(platform, Arc::clone(&registry))?;
        let events = Arc::new(EventHub::default());
        let mut driver = Driver::new(settings, Clock::start_at(uptime()), host.clone());
        for entry in lock(&registry).entries() {
            driver.count_on(entry.id, entry.record.run);
        }
        observe(
            &mut driver,
            &registry,
            Observer {
                state_dir: Arc::clone(&state_dir),
                disk: disk.clone(),
                events: Arc::clone(&events),
                host: host.clone(),
            },
        );
        let shared = Shared {
            state_dir,
            registry,
            disk,
            host,
            driver: driver.handle(),
            events,
            warnings: warnings.into_iter().collect(),
            applying: tokio::sync::Mutex::default(),
            closed: watch::Sender::new(false),
        };
        let daemon = Self { shared: Arc::new(shared) };
        let driving = async move { match driver.drive().await {} };
        Ok((daemon, driving))
    }

    /// Stops everything; the next daemon goes on with what ran. Resolves when all is at rest, or
    /// cannot be ended. May be called again, with more urgency.
    pub async fn close(&self, urgency: Urgency) {
        self.registry().is_closing = true;
        self.cancel_waiting();
        // Without a driver there is nothing to stop.
        drop(self.shared.driver.shutdown(urgency).await);
        self.shared.closed.send_replace(true);
    }

    /// Resolves when the daemon has been closed.
    pub async fn closed(&self) {
        // Cannot fail: we keep the sender.
        let _ = self.shared.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until everything that is to outlive the daemon is written, for some seconds at most;
    /// answers whether it is. To be called when it was closed.
    pub async fn finish_writing(&self) -> bool {
        let disk = &self.shared.disk;
        let writing = async {
            disk.has_caught_up().await;
            let tries_again = self.registry().retry_to_write();
            if tries_again {
                disk.has_caught_up().await;
            }
        };
        timeout(LAST_WRITES, writing).await.is_ok() && self.registry().trouble().is_none()
    }

    /// An answer, once what it rests on is written, or could not be, tried twice. A disk that hangs
    /// holds up no answer for longer than a second, and none at all from then on, when it is among the
    /// warnings.
    async fn kept<T>(&self, answer: impl Future<Output = T>) -> T {
        let (answer, disk) = (answer.await, &self.shared.disk);
        disk.has_caught_up_or_hangs().await;
        let tries_again = self.registry().retry_to_write();
        if tries_again {
            disk.has_caught_up_or_hangs().await;
        }
        answer
    }

    /// What happens.
    #[must_use]
    pub fn events(&self) -> &Arc<EventHub> {
        &self.shared.events
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        lock(&self.shared.registry)
    }
}

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon").field("state_dir", &self.shared.state_dir).finish_non_exhaustive()
    }
}

fn observe(driver: &mut Driver<SlotHost>, registry: &Arc<Mutex<Registry>>, observer: Observer) {
    let registry = Arc::clone(registry);
    driver.observe(Box::new(move |notice, view| observer.hear(&mut lock(&registry), notice, view)));
}

fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clock of the boot, on which instants of an earlier daemon mean the same.
fn uptime() -> Instant {
    let read = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(read.tv_sec), u32::try_from(read.tv_nsec));
    let read = std::time::Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0));
    Instant::ZERO + read
}
