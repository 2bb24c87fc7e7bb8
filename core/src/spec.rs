//! What the host wants of a slot: its policies, checked once at the border.

use alloc::sync::Arc;
use core::time::Duration;

use thiserror::Error;

use crate::backoff;
use crate::exit::Signal;
use crate::ports::Block;

/// Longer times until a deadline are read as this, 100 years: an [`Instant`](crate::Instant) holds
/// 584.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The policies of a slot as the host gathers them. [`SlotOptions::build`] checks them.
///
/// The defaults are those of the design: see each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlotOptions {
    /// A preparation to run before the first spawn. Default: none. The host asks for it once per
    /// slot and folder.
    pub prepare: Option<PrepareOptions>,
    /// The ports that each run gets. Default: none.
    pub ports: PortRequest,
    /// Readiness. Default: ready as soon as it is spawned.
    pub ready: Option<ReadyOptions>,
    /// Liveness probes while running. Default: none.
    pub alive: Option<AliveOptions>,
    /// How to stop.
    pub stop: StopOptions,
    /// When and how fast to restart, and when to give up.
    pub restart: RestartOptions,
    /// How long an unused slot keeps running. Default: for ever; zero is read as that, too.
    pub idle: Option<Duration>,
    /// Memory of the whole tree in bytes, above which the run goes down. Default: no limit.
    pub memory_limit: Option<u64>,
    /// What becomes of the processes that a leader leaves behind when it ends cleanly.
    pub on_clean_exit: OnCleanExit,
    /// How long the embedder's companion of this slot (a sync, a watcher) may flush before the
    /// processes of a stop are signalled. Default: there is no companion. Usual: 5 s.
    pub flush: Option<Duration>,
}

/// See [`SlotOptions::prepare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PrepareOptions {
    /// How long it may take. Default: 10 min.
    pub timeout: Duration,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(600) }
    }
}

/// The ports that each run of a slot gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PortRequest {
    /// No ports.
    #[default]
    None,
    /// A block of so many contiguous ports, chosen by the supervisor.
    Auto(u16),
    /// This block and no other.
    Fixed(Block),
}

/// See [`SlotOptions::ready`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReadyOptions {
    /// How long it may take from the spawn. Default: 30 s.
    pub timeout: Duration,
    /// Accept an answer from a process outside the run's own tree, such as a container's proxy.
    /// Default: no.
    pub any_owner: bool,
}

impl Default for ReadyOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), any_owner: false }
    }
}

/// See [`SlotOptions::alive`]. How often to probe is the host's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AliveOptions {
    /// So many failed probes in a row take the run down. Default: 3.
    pub failures: u32,
}

impl Default for AliveOptions {
    fn default() -> Self {
        Self { failures: 3 }
    }
}

/// See [`SlotOptions::stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StopOptions {
    /// The signal that asks the tree to end. Default: SIGTERM.
    pub signal: Signal,
    /// How long the tree has from that signal until SIGKILL. Default: 5 s.
    pub grace: Duration,
}

impl Default for StopOptions {
    fn default() -> Self {
        Self { signal: Signal::Term, grace: Duration::from_secs(5) }
    }
}

/// See [`SlotOptions::restart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RestartOptions {
    /// Which ends are followed by a restart. Default: failures.
    pub when: RestartWhen,
    /// This many consecutive failures park the slot. Default: 8.
    pub max_failures: u32,
    /// A failure counts on if it comes no later than this after the previous one. Default: 300 s.
    pub window: Duration,
    /// This long in `running` ends the streak. Default: 60 s.
    pub healthy_after: Duration,
    /// The delay after the first failure, more than zero; it doubles with each further one.
    /// Default: 1 s.
    pub backoff: Duration,
    /// No delay is longer than this, jitter included. Default: 60 s.
    pub backoff_max: Duration,
}

impl Default for RestartOptions {
    fn default() -> Self {
        Self {
            when: RestartWhen::OnFailure,
            max_failures: 8,
            window: Duration::from_secs(300),
            healthy_after: Duration::from_secs(60),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
        }
    }
}

/// Which ends of a run are followed by a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RestartWhen {
    /// No end: the first one empties the tree and drops the slot.
    Never,
    /// Every end that is not clean.
    #[default]
    OnFailure,
    /// Every end; a clean one counts as a failure.
    Always,
}

/// What becomes of the processes that a leader leaves behind when it ends cleanly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OnCleanExit {
    /// They are released: they live on and belong to no run.
    #[default]
    Leave,
    /// They get SIGKILL.
    Reap,
}

/// Options that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// `max_failures` is 0.
    #[error(
        "`max_failures` is 0, and a slot that may not fail once could never run: use 1 or more"
    )]
    MaxFailuresZero,
    /// `backoff` is 0.
    #[error(
        "`backoff` is 0, so a program that cannot start would be tried without a pause: use 1ms or more"
    )]
    BackoffZero,
    /// `backoff` is longer than `backoff_max`.
    #[error("`backoff` ({backoff:?}) is longer than `backoff_max` ({backoff_max:?})")]
    BackoffOverMax {
        /// The first delay.
        backoff: Duration,
        /// The longest delay.
        backoff_max: Duration,
    },
    /// Failures would be so far apart that they never count as consecutive.
    #[error(
        "`window` ({window:?}) is shorter than the time between two failures ({needed:?}), \
         so the breaker could never trip: make it at least {needed:?}"
    )]
    WindowTooShort {
        /// The window.
        window: Duration,
        /// The longest delay before parking, plus the ready timeout where there is one.
        needed: Duration,
    },
    /// `ready.timeout` is zero.
    #[error("`ready.timeout` is 0, so the slot could never be ready")]
    ReadyTimeoutZero,
    /// `alive.failures` is 0.
    #[error("`alive.failures` is 0: use 1 or more, or leave `alive` out")]
    AliveFailuresZero,
}

impl SlotOptions {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the option, its value and what would do.
    pub fn build(mut self) -> Result<Spec, SpecError> {
        let RestartOptions { max_failures, backoff, backoff_max, .. } = self.restart;
        if max_failures == 0 {
            return Err(SpecError::MaxFailuresZero);
        }
        if backoff.is_zero() {
            return Err(SpecError::BackoffZero);
        }
        if backoff > backoff_max {
            return Err(SpecError::BackoffOverMax { backoff, backoff_max });
        }
        if self.ready.is_some_and(|ready| ready.timeout.is_zero()) {
            return Err(SpecError::ReadyTimeoutZero);
        }
        if self.alive.is_some_and(|alive| alive.failures == 0) {
            return Err(SpecError::AliveFailuresZero);
        }
        self.check_window()?;
        self.idle = self.idle.filter(|idle| !idle.is_zero());
        self.deadlines().for_each(|duration| *duration = (*duration).min(LONGEST));
        if self.ports == PortRequest::Auto(0) {
            self.ports = PortRequest::None;
        }
        Ok(Spec(Arc::new(self)))
    }

    /// The durations that become deadlines.
    fn deadlines(&mut self) -> impl Iterator<Item = &mut Duration> {
        let RestartOptions { healthy_after, backoff, backoff_max, .. } = &mut self.restart;
        let always = [&mut self.stop.grace, healthy_after, backoff, backoff_max];
        let prepare = self.prepare.as_mut().map(|prepare| &mut prepare.timeout);
        let ready = self.ready.as_mut().map(|ready| &mut ready.timeout);
        let optional = [prepare, ready, self.idle.as_mut(), self.flush.as_mut()];
        always.into_iter().chain(optional.into_iter().flatten())
    }

    fn check_window(&self) -> Result<(), SpecError> {
        if self.restart.when == RestartWhen::Never {
            return Ok(());
        }
        let boot = self.ready.map_or(Duration::ZERO, |ready| ready.timeout);
        let needed = backoff::longest_before_parking(&self.restart).saturating_add(boot);
        let window = self.restart.window;
        if window < needed { Err(SpecError::WindowTooShort { window, needed }) } else { Ok(()) }
    }
}

/// Checked policies of a slot. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "SlotOptions", into = "SlotOptions")
)]
pub struct Spec(Arc<SlotOptions>);

impl Spec {
    /// The options, which hold together.
    #[must_use]
    pub fn options(&self) -> &SlotOptions {
        &self.0
    }
}

/// The default options hold together.
impl Default for Spec {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl TryFrom<SlotOptions> for Spec {
    type Error = SpecError;

    fn try_from(options: SlotOptions) -> Result<Self, SpecError> {
        options.build()
    }
}

impl From<Spec> for SlotOptions {
    fn from(spec: Spec) -> Self {
        Arc::unwrap_or_clone(spec.0)
    }
}
