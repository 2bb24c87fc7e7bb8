//! Many slots that live whole lives, each input of which changes something.
//!
//! Half of the slots crash, wait out their backoff and become healthy again; the other half are
//! started, used and stopped by request. Their inputs come interleaved.

use std::time::Duration;

use worker_core::{
    Action, Ask, Exit, Input, Instant, Launch, LaunchId, Order, Owner, PortRequest, ReadyOptions,
    Report, RequestId, RunId, Settings, Signal, SlotId, SlotOptions, Spec, Supervisor,
    WakeupReason,
};

/// Coprime to any number of slots that is not a multiple of it, so that stepping by it visits each
/// slot once, in an order that is not that of the memory.
const STRIDE: usize = 619;

/// How time goes on from one input to the next.
const STEP: Duration = Duration::from_micros(1);

/// A supervisor, and the host that it believes in.
pub(crate) struct Fleet<Door> {
    supervisor: Supervisor,
    /// Passes an input to the supervisor: [`Supervisor::handle`], or something around it.
    door: Door,
    now: Instant,
    actions: Vec<Action>,
    /// The present run of each slot, as the orders name it.
    runs: Vec<RunId>,
    launch: Launch,
    inputs: u64,
}

impl<Door> Fleet<Door>
where
    Door: FnMut(&mut Supervisor, Instant, Input, &mut Vec<Action>),
{
    /// A fleet whose crashing half has crashed once.
    pub(crate) fn new(slots: u16, door: Door) -> Self {
        let mut fleet = Self {
            supervisor: Supervisor::new(Settings::default()),
            door,
            now: Instant::ZERO,
            actions: Vec::new(),
            runs: vec![RunId::new(0); usize::from(slots)],
            launch: Launch { id: LaunchId::new(1), spec: spec() },
            inputs: 0,
        };
        fleet.each(is_crashing, Self::start);
        fleet.boot(is_crashing);
        fleet.crash();
        fleet
    }

    /// One more life of every slot. Gives how many inputs that took.
    pub(crate) fn live(&mut self) -> u64 {
        let before = self.inputs;
        self.tick_while(WakeupReason::Restart);
        self.each(is_obedient, Self::start);
        self.boot(is_any);
        self.tick_while(WakeupReason::Healthy);
        self.each(is_obedient, |fleet, slot| fleet.ask(slot, Ask::Touch));
        self.crash();
        self.stop();
        self.inputs - before
    }

    fn start(&mut self, slot: SlotId) {
        self.ask(slot, Ask::Start(self.launch.clone()));
    }

    fn boot(&mut self, which: fn(SlotId) -> bool) {
        self.report_each(which, Report::Reserved);
        self.report_each(which, Report::Spawned);
        self.report_each(which, Report::Ready(Owner::Own));
    }

    fn crash(&mut self) {
        self.report_each(is_crashing, Report::LeaderExited(Exit::Signal(Signal::Segv)));
        self.report_each(is_crashing, Report::TreeGone { killed: 1, left: 0 });
    }

    fn stop(&mut self) {
        self.each(is_obedient, |fleet, slot| fleet.ask(slot, Ask::Stop));
        self.report_each(is_obedient, Report::LeaderExited(Exit::Signal(Signal::Term)));
        self.report_each(is_obedient, Report::TreeGone { killed: 0, left: 0 });
    }

    fn report_each(&mut self, which: fn(SlotId) -> bool, report: Report) {
        self.each(which, |fleet, slot| {
            let run = fleet.runs[usize::from(slot.get())];
            fleet.feed(Input::Report { slot, run, report });
        });
    }

    fn each(&mut self, which: fn(SlotId) -> bool, mut act: impl FnMut(&mut Self, SlotId)) {
        let slots = self.runs.len();
        for step in 0..slots {
            let number = u16::try_from(step * STRIDE % slots).expect("slots are numbered by u16");
            if which(SlotId::new(number)) {
                act(self, SlotId::new(number));
            }
        }
    }

    /// Lets time pass from deadline to deadline, as long as they are of this kind.
    fn tick_while(&mut self, reason: WakeupReason) {
        while let Some(wakeup) = self.supervisor.next_wakeup().filter(|next| next.reason == reason)
        {
            self.now = self.now.max(wakeup.at);
            self.feed(Input::Tick);
        }
    }

    fn ask(&mut self, slot: SlotId, ask: Ask) {
        self.feed(Input::Request { slot, request: RequestId::new(self.inputs), ask });
    }

    fn feed(&mut self, input: Input) {
        (self.door)(&mut self.supervisor, self.now, input, &mut self.actions);
        self.now = self.now + STEP;
        self.inputs += 1;
        for action in self.actions.drain(..) {
            if let Action::Run { slot, run, order: Order::Reserve(_) | Order::Spawn { .. } } =
                action
            {
                self.runs[usize::from(slot.get())] = run;
            }
        }
    }
}

fn spec() -> Spec {
    let options = SlotOptions {
        ports: PortRequest::Auto(2),
        ready: Some(ReadyOptions::default()),
        idle: Some(Duration::from_secs(900)),
        ..SlotOptions::default()
    };
    options.build().expect("the options hold together")
}

fn is_crashing(slot: SlotId) -> bool {
    slot.get().is_multiple_of(2)
}

fn is_obedient(slot: SlotId) -> bool {
    !is_crashing(slot)
}

fn is_any(_: SlotId) -> bool {
    true
}
