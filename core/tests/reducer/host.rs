//! A host for tests: a clock that is set by hand, and every step checked against the rules.

use std::time::Duration;

use worker_core::invariant::Watcher;
use worker_core::{
    Action, Ask, Block, Event, Exit, Input, Instant, Launch, LaunchId, Order, Outcome, Owner, Past,
    Report, RequestId, RunId, Settings, Signal, SlotId, SlotOptions, SlotView, StateName,
    Supervisor, Urgency,
};

/// The slot that most tests are about.
pub(crate) const WEB: SlotId = SlotId::new(0);
/// Another slot.
pub(crate) const DB: SlotId = SlotId::new(1);

pub(crate) const KILLED: Exit = Exit::Signal(Signal::Kill);
pub(crate) const CRASH: Exit = Exit::Code(3);
pub(crate) const CLEAN: Exit = Exit::Code(0);

pub(crate) struct Host {
    watcher: Watcher,
    now: Instant,
    requests: u64,
    launches: u64,
    actions: Vec<Action>,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let watcher = Watcher::new(Supervisor::new(settings));
        Self { watcher, now: Instant::ZERO, requests: 0, launches: 0, actions: Vec::new() }
    }

    /// The host that comes after this one has died: it knows nothing, and the clock goes on.
    pub(crate) fn successor(&self) -> Self {
        Self { now: self.now, ..Self::new() }
    }

    /// Hands over one input now, and checks the step.
    pub(crate) fn handle(&mut self, input: Input) {
        let step = self.watcher.handle(self.now, input.clone(), &mut self.actions);
        step.unwrap_or_else(|broken| panic!("{broken} at {} by {input:?}", self.now));
    }

    pub(crate) fn ask(&mut self, slot: SlotId, ask: Ask) -> RequestId {
        self.requests += 1;
        let request = RequestId::new(self.requests);
        self.handle(Input::Request { slot, request, ask });
        request
    }

    pub(crate) fn launch(&mut self, options: SlotOptions) -> Launch {
        self.launches += 1;
        Launch { id: LaunchId::new(self.launches), spec: options.build().unwrap() }
    }

    pub(crate) fn start_with(&mut self, slot: SlotId, options: SlotOptions) -> RequestId {
        let launch = self.launch(options);
        self.ask(slot, Ask::Start(launch))
    }

    pub(crate) fn start(&mut self, slot: SlotId) -> RequestId {
        self.start_with(slot, SlotOptions::default())
    }

    pub(crate) fn restart(&mut self, slot: SlotId) -> RequestId {
        let launch = self.launch(SlotOptions::default());
        self.ask(slot, Ask::Restart(launch))
    }

    pub(crate) fn resume(&mut self, slot: SlotId, options: SlotOptions, past: Past) -> RequestId {
        let launch = self.launch(options);
        self.ask(slot, Ask::Resume(launch, Box::new(past)))
    }

    pub(crate) fn stop(&mut self, slot: SlotId) -> RequestId {
        self.ask(slot, Ask::Stop)
    }

    pub(crate) fn shut_down(&mut self, urgency: Urgency) -> RequestId {
        self.requests += 1;
        let request = RequestId::new(self.requests);
        self.handle(Input::Shutdown { request, urgency });
        request
    }

    /// A report about the slot's present run.
    pub(crate) fn report(&mut self, slot: SlotId, report: Report) {
        let run = self.run(slot);
        self.report_of(slot, run, report);
    }

    pub(crate) fn report_of(&mut self, slot: SlotId, run: RunId, report: Report) {
        self.handle(Input::Report { slot, run, report });
    }

    /// A slot that is started and spawned, and running unless its readiness is asked for.
    pub(crate) fn up(&mut self, slot: SlotId, options: SlotOptions) -> RunId {
        self.start_with(slot, options);
        self.come_up(slot)
    }

    /// Answers the orders that bring the starting slot's run to life.
    pub(crate) fn come_up(&mut self, slot: SlotId) -> RunId {
        self.report(slot, Report::Reserved);
        self.report(slot, Report::Spawned);
        self.run(slot)
    }

    pub(crate) fn ready(&mut self, slot: SlotId) {
        self.report(slot, Report::Ready(Owner::Own));
    }

    pub(crate) fn exit(&mut self, slot: SlotId, exit: Exit) {
        self.report(slot, Report::LeaderExited(exit));
    }

    pub(crate) fn gone(&mut self, slot: SlotId) {
        self.report(slot, Report::TreeGone { killed: 0, left: 0 });
    }

    /// The running slot's leader ends so, and nothing of its tree is left.
    pub(crate) fn crash(&mut self, slot: SlotId, exit: Exit) {
        self.exit(slot, exit);
        self.gone(slot);
    }

    /// Lets the backoff pass and the next run come up.
    pub(crate) fn sit_out_backoff(&mut self, slot: SlotId) {
        assert_eq!(self.state(slot), Some(StateName::Restarting));
        self.advance_to(self.view(slot).next.unwrap().at);
        self.come_up(slot);
    }

    /// Moves the clock, letting each deadline on the way take effect in its time.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.advance_to(self.now + by);
    }

    pub(crate) fn advance_to(&mut self, end: Instant) {
        while let Some(wakeup) = self.watcher.supervisor().next_wakeup().filter(|w| w.at <= end) {
            self.now = self.now.max(wakeup.at);
            self.handle(Input::Tick);
        }
        self.now = end;
    }

    /// Moves the clock, and tells nobody.
    pub(crate) fn oversleep(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn supervisor(&self) -> &Supervisor {
        self.watcher.supervisor()
    }

    pub(crate) fn view_of(&self, slot: SlotId) -> Option<SlotView> {
        self.supervisor().slot(slot)
    }

    pub(crate) fn view(&self, slot: SlotId) -> SlotView {
        self.view_of(slot).expect("the slot is not at rest")
    }

    pub(crate) fn run(&self, slot: SlotId) -> RunId {
        self.view(slot).run.expect("the slot has a run")
    }

    /// None at rest.
    pub(crate) fn state(&self, slot: SlotId) -> Option<StateName> {
        self.view_of(slot).map(|view| view.state)
    }

    pub(crate) fn block(&self, slot: SlotId) -> Option<Block> {
        self.view_of(slot).and_then(|view| view.block)
    }

    /// The orders about the slot since they were last taken.
    pub(crate) fn take_orders(&mut self, of: SlotId) -> Vec<Order> {
        let mut orders = Vec::new();
        self.actions.retain(|action| match *action {
            Action::Run { slot, order, .. } if slot == of => {
                orders.push(order);
                false
            }
            _ => true,
        });
        orders
    }

    /// The events of the slot since they were last taken.
    pub(crate) fn take_events(&mut self, of: SlotId) -> Vec<Event> {
        let mut events = Vec::new();
        self.actions.retain(|action| match *action {
            Action::Event { slot, event, .. } if slot == of => {
                events.push(event);
                false
            }
            _ => true,
        });
        events
    }

    /// What a request was answered; panics if it was answered twice.
    pub(crate) fn outcome(&self, of: RequestId) -> Option<Outcome> {
        let mut outcomes = self.actions.iter().filter_map(|action| match *action {
            Action::Answer { request, outcome } if request == of => Some(outcome),
            _ => None,
        });
        let outcome = outcomes.next();
        assert_eq!(outcomes.next(), None, "{of} is answered once");
        outcome
    }

    pub(crate) fn spawns(&self, of: SlotId) -> usize {
        self.count(of, |order| matches!(order, Order::Spawn { .. }))
    }

    pub(crate) fn kills(&self, of: SlotId) -> usize {
        self.count(of, |order| order == Order::Kill)
    }

    pub(crate) fn signals(&self, of: SlotId) -> usize {
        self.count(of, |order| matches!(order, Order::Signal(_)))
    }

    fn count(&self, of: SlotId, wanted: impl Fn(Order) -> bool) -> usize {
        let matching = self.actions.iter().filter(|action| {
            matches!(**action, Action::Run { slot, order, .. } if slot == of && wanted(order))
        });
        matching.count()
    }
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
