//! One task owns the reducer. Everything that happens reaches it through an inbox, gets its time
//! there, and every action that comes out is carried out elsewhere.
//!
//! Nothing is decided here: the reducer says what to do, the platform and the host do it.

mod host;
mod mailbox;
mod notice;
mod orders;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use worker_core::{
    Action, Input, Instant, Order, Outcome, Report, RequestId, Settings, SlotId, SlotView,
    Supervisor, Wakeup,
};

pub use self::host::{Host, RunKey};
pub use self::mailbox::{Answer, Handle, Reporter, Views};
pub use self::notice::Notice;

use self::mailbox::Message;
use self::notice::Facts;
use self::orders::Executor;
use crate::clock::Clock;

/// The loop around a [`Supervisor`].
pub struct Driver<H> {
    supervisor: Supervisor,
    clock: Clock,
    executor: Arc<Executor<H>>,
    inbox: mpsc::UnboundedReceiver<Message>,
    handle: Handle,
    waiters: Waiters,
    facts: Facts,
    observers: Vec<Observer>,
    recorder: Option<mpsc::UnboundedSender<Step>>,
    /// Kept between steps, so that they do not allocate.
    actions: Vec<Action>,
}

/// Hears of each event within the step that it comes from, before anybody has an answer of that step;
/// with the slot as it is after the step, none if it is at rest. Must not wait for anything.
pub type Observer = Box<dyn FnMut(&Notice, Option<&SlotView>) + Send>;

/// One call of the reducer, as a record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// The time that was passed in.
    pub now: Instant,
    /// The input.
    pub input: Input,
    /// What came out.
    pub actions: Vec<Action>,
}

#[derive(Debug, Default)]
struct Waiters {
    latest: u64,
    replies: HashMap<RequestId, oneshot::Sender<Outcome>>,
}

impl<H: Host> Driver<H> {
    /// A driver without slots.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, host: H) -> Self {
        let (sender, inbox) = mpsc::unbounded_channel();
        Self {
            supervisor: Supervisor::new(settings),
            clock,
            executor: Executor::new(host),
            inbox,
            handle: Handle::new(sender),
            waiters: Waiters::default(),
            facts: Facts::default(),
            observers: Vec::new(),
            recorder: None,
            actions: Vec::new(),
        }
    }

    /// The way to ask this driver for something.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Every event from here on.
    #[must_use]
    pub fn subscribe(&mut self) -> mpsc::UnboundedReceiver<Notice> {
        let (sender, notices) = mpsc::unbounded_channel();
        // Whoever subscribed may have gone.
        self.observe(Box::new(move |notice, _| drop(sender.send(notice.clone()))));
        notices
    }

    /// Tells `observer` of every event from here on.
    pub fn observe(&mut self, observer: Observer) {
        self.observers.push(observer);
    }

    /// The next run of the slot gets the number after `latest`. For slots that have had runs before
    /// this driver.
    pub fn count_on(&mut self, slot: SlotId, latest: u64) {
        self.facts.count_on(slot, latest);
    }

    /// Every step from here on goes to `recorder`, from which the whole run can be replayed.
    pub fn record(&mut self, recorder: mpsc::UnboundedSender<Step>) {
        self.recorder = Some(recorder);
    }

    /// Runs the supervisor until the driver is dropped.
    pub async fn drive(&mut self) -> std::convert::Infallible {
        loop {
            let input = tokio::select! {
                biased;
                Some(message) = self.inbox.recv() => self.accept(message),
                () = wait_for(self.supervisor.next_wakeup(), &self.clock) => Some(Input::Tick),
            };
            if let Some(input) = input {
                self.step(input);
            }
        }
    }

    /// Answers what only wants to know; everything else is an input.
    fn accept(&mut self, message: Message) -> Option<Input> {
        Some(match message {
            Message::Look { reply } => {
                // Whoever asked may not wait any more.
                let _ = reply.send(Views { now: self.clock.now(), slots: self.views() });
                return None;
            }
            Message::LookAt { slot, reply } => {
                let _ = reply.send(self.supervisor.slot(slot));
                return None;
            }
            Message::Ask { slot, ask, reply } => {
                Input::Request { slot, request: self.waiters.add(reply), ask }
            }
            Message::Shutdown { urgency, reply } => {
                Input::Shutdown { request: self.waiters.add(reply), urgency }
            }
            Message::Report { run, report } => Message::report(run, report),
            Message::Spawned { run, pid } => {
                self.facts.spawned(run, pid);
                Message::report(run, Report::Spawned)
            }
            Message::SpawnFailed { run, error } => {
                self.facts.spawn_failed(run, error.message);
                Message::report(run, Report::SpawnFailed(error.failure))
            }
        })
    }

    fn views(&self) -> BTreeMap<SlotId, SlotView> {
        self.supervisor.slots().collect()
    }

    fn step(&mut self, input: Input) {
        let now = self.clock.now();
        let recorded = self.recorder.as_ref().map(|_| input.clone());
        let mut actions = std::mem::take(&mut self.actions);
        self.supervisor.handle(now, input, &mut actions);
        if let (Some(recorder), Some(input)) = (&self.recorder, recorded) {
            // Whoever recorded may have stopped to.
            let _ = recorder.send(Step { now, input, actions: actions.clone() });
        }
        for action in actions.drain(..) {
            self.carry_out(action);
        }
        self.actions = actions;
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Run { slot, run, order } => {
                let run = self.facts.key(slot, run);
                if let Order::Spawn { program, .. } = order {
                    self.facts.spawning(run, program);
                }
                self.executor.give(run, order, self.handle.reporter(run));
            }
            Action::Answer { request, outcome } => self.waiters.answer(request, outcome),
            Action::Event { slot, run, event } => {
                let notice = self.facts.notice(slot, run, event);
                let view = self.supervisor.slot(slot);
                self.observers.iter_mut().for_each(|observer| observer(&notice, view.as_ref()));
            }
        }
    }
}

impl Waiters {
    fn add(&mut self, reply: oneshot::Sender<Outcome>) -> RequestId {
        self.latest += 1;
        let request = RequestId::new(self.latest);
        self.replies.insert(request, reply);
        request
    }

    fn answer(&mut self, request: RequestId, outcome: Outcome) {
        if let Some(reply) = self.replies.remove(&request) {
            // Whoever asked may not wait any more.
            let _ = reply.send(outcome);
        }
    }
}

/// Waits for the wakeup, or for ever without one. Early ticks are harmless, so a clock that was
/// frozen meanwhile only costs one.
async fn wait_for(wakeup: Option<Wakeup>, clock: &Clock) {
    match wakeup {
        // The runtime rounds a sleep up to the next millisecond, one of no length too.
        Some(wakeup) if wakeup.at <= clock.now() => {}
        Some(wakeup) => sleep(wakeup.at.since(clock.now())).await,
        None => pending().await,
    }
}
