//! One `worker run`, from the start of the command to the last of its processes.

use std::io;

use rustix::process::{Signal as RawSignal, getpid, kill_process};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use worker_core::{
    Ask, Event, Launch, LaunchId, Settings, Signal, SlotId, UNKILLABLE_AFTER, Urgency,
};
use worker_platform_unix::journal::Journal;

use super::ending::{Ending, Story};
use super::host::RunHost;
use super::messages;
use crate::clock::Clock;
use crate::driver::{Driver, Handle, Host, Notice, Step};
use crate::guardian::{Guardian, Word};
use crate::plan::Plan;
use crate::platform;
use crate::processes;
use crate::signals::{Caught, Signals, Source, Stops};
use crate::voice::Voice;

/// The only slot.
const SLOT: SlotId = SlotId::new(0);

/// Hears of each event, before it is told in words.
pub type Watcher = Box<dyn FnMut(&Notice) + Send>;

/// Who watches.
pub struct Observers {
    /// Who is told in words.
    pub voice: Voice,
    /// Who else is told.
    pub watchers: Vec<Watcher>,
    /// Who keeps every step, for a replay.
    pub recorder: Option<UnboundedSender<Step>>,
}

/// Supervises one command until it is at rest, parked or cannot be ended. Needs a tokio runtime
/// with io and time enabled, in a process that has no [`UnixPlatform`](worker_platform_unix::UnixPlatform) yet.
///
/// # Errors
///
/// If the signals of this process cannot be listened to.
pub async fn supervise(
    plan: Plan,
    settings: Settings,
    journal: Option<Journal>,
    observers: Observers,
) -> io::Result<Ending> {
    let signals = Signals::listen()?;
    let guardian = Guardian::of_this_process()?;
    let host = RunHost::new(platform::set_up(plan.cgroup, &observers.voice)?, plan);
    if let Some(journal) = journal {
        host.platform().keep_journal(journal);
    }
    let clock = Clock::start();
    let mut driver = Driver::new(settings, clock.clone(), host.clone());
    let Observers { voice, watchers, recorder } = observers;
    if let Some(recorder) = recorder {
        driver.record(recorder);
    }
    let notices = driver.subscribe();
    let handle = driver.handle();
    let story = Story::default();
    let stops = Stops::default();
    let session = Session { host, clock, handle, guardian, voice, watchers, story, stops };
    tokio::select! {
        never = driver.drive() => match never {},
        ending = session.run(notices, signals) => Ok(ending),
    }
}

struct Session {
    host: RunHost,
    clock: Clock,
    handle: Handle,
    guardian: Guardian,
    voice: Voice,
    watchers: Vec<Watcher>,
    story: Story,
    stops: Stops,
}

impl Session {
    async fn run(mut self, mut notices: UnboundedReceiver<Notice>, mut signals: Signals) -> Ending {
        let spec = self.host.plan().spec.clone();
        let launch = Launch { id: LaunchId::new(0), spec };
        // What becomes of it comes as an event, too.
        drop(self.handle.ask(SLOT, Ask::Start(launch)));
        let ending = loop {
            tokio::select! {
                biased;
                Some(notice) = notices.recv() => {
                    self.tell(&notice);
                    if let Some(ending) = self.story.observe(notice.event) {
                        break ending;
                    }
                }
                word = self.guardian.next() => self.heed(word),
                caught = signals.next() => self.obey(caught, Source::Own),
            }
        };
        self.wind_up().await;
        ending
    }

    fn heed(&mut self, word: Word) {
        match word {
            Word::Signal(signal) => {
                if let Some(caught) = Caught::by(signal) {
                    self.obey(caught, Source::Guardian);
                }
            }
            Word::Gone => self.outlive_guardian(),
        }
    }

    fn obey(&mut self, caught: Caught, source: Source) {
        match caught {
            Caught::Stop(signal) => self.stop(signal, source),
            Caught::Forward(signal) => self.forward(signal, source),
            Caught::Pause => self.pause(),
            Caught::Resume => self.resume(),
        }
    }

    fn stop(&mut self, signal: Signal, source: Source) {
        let Some(urgency) = self.stops.ask(source) else { return };
        let grace = self.host.plan().spec.options().stop.grace;
        self.say(&messages::stopping(signal, urgency, grace));
        self.shut_down(signal, urgency);
    }

    /// Without a guardian nothing would end what we leave behind if we were killed, too.
    fn outlive_guardian(&mut self) {
        self.voice.warn("its guardian process is gone: stopping in order");
        self.shut_down(Signal::Term, Urgency::Orderly);
    }

    fn shut_down(&mut self, signal: Signal, urgency: Urgency) {
        self.guardian.tell_stopping();
        self.story.stop_asked(signal);
        // Its end comes as an event, too.
        drop(self.handle.shutdown(urgency));
    }

    /// With a guardian, signals to the job come by it alone. What `pkill` sends to both of us would
    /// else be passed on twice.
    fn forward(&self, signal: Signal, source: Source) {
        if source == Source::Own && self.guardian.is_there() {
            return;
        }
        for run in self.host.runs() {
            self.host.platform().forward(run, signal);
        }
    }

    /// Stops every tree, then ourselves. Meanwhile no time passes.
    fn pause(&self) {
        self.clock.freeze();
        self.host.platform().suspend();
        if kill_process(getpid(), RawSignal::STOP).is_err() {
            self.resume();
        }
    }

    fn resume(&self) {
        if self.clock.thaw() {
            self.host.platform().resume();
        }
    }

    async fn wind_up(&mut self) {
        self.guardian.tell_stopping();
        // Nothing is spawned any more; what could not be ended was reported.
        drop(self.handle.shutdown(Urgency::Immediate).await);
        let nobodys = self.host.platform().end_unattributed();
        // What is left then cannot be killed, and keeps nobody waiting.
        drop(tokio::time::timeout(UNKILLABLE_AFTER, nobodys).await);
        self.host.platform().end_journal();
        self.host.finish_output().await;
        if self.host.platform().has_released() {
            self.guardian.tell_released();
        }
    }

    fn tell(&mut self, notice: &Notice) {
        if let Event::Ready { .. } = notice.event {
            self.guardian.tell_ready();
        }
        for watcher in &mut self.watchers {
            watcher(notice);
        }
        if let Some(message) = messages::message(notice) {
            self.say(&message);
        }
        self.tell_failure(notice);
    }

    fn tell_failure(&self, notice: &Notice) {
        let name = &self.host.plan().name;
        let holders = || self.host.ports().holders();
        if let Some(failure) = messages::failure(name, notice, holders, || self.survivors()) {
            self.voice.fail(&failure);
        }
    }

    fn survivors(&self) -> Vec<String> {
        let members = |run| self.host.platform().members(run);
        self.host.runs().into_iter().flat_map(members).map(processes::describe).collect()
    }

    fn say(&self, message: &str) {
        self.voice.say(&format!("{}: {message}", self.host.plan().name));
    }
}
