//! A fake host with a clock of its own, which drives the real supervisor one input at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use worker_core::{
    Action, Ask, Input, Instant, Launch, LaunchId, Past, Report, RequestId, RunId, Settings,
    SlotId, Supervisor, Wakeup,
};

use super::checkers::{Broken, Rule, Scene, check_action, check_after};
use super::ledger::{Ledger, REMEMBERED, Run};
use super::script::{Act, Gap, Step};
use super::setup::{LAUNCHES, SLOTS, Setup};
use super::tally::Tally;
use super::{EXIT_BROKEN, EXIT_CRASH, EXIT_LIVENESS};

const PUNCTUAL: Rule =
    Rule { name: "no wakeup is in the past after a tick", cites: "§4, handle and next_wakeup" };
const TIE: Rule = Rule { name: "on a tie the deadline wins", cites: "§4 time" };
const TRAVELS: Rule =
    Rule { name: "the state is a value that travels", cites: "§1 worker-core is a value, §6" };

/// No host waits longer for a deadline than this.
pub(crate) const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// What came of a step.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Broken(Broken),
    Crash(String),
    Stuck(Broken),
}

impl Failure {
    /// What tells one failure from another when a script is cut.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Broken(broken) | Self::Stuck(broken) => broken.rule.name,
            Self::Crash(_) => "the core panicked",
        }
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Broken(_) => EXIT_BROKEN,
            Self::Crash(_) => EXIT_CRASH,
            Self::Stuck(_) => EXIT_LIVENESS,
        }
    }
}

#[derive(Clone)]
pub(crate) struct World<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) ledger: Ledger,
    supervisor: Supervisor,
    actions: Vec<Action>,
    /// What the calls of the present step did.
    step_actions: Vec<Action>,
    requests: u64,
    /// Every call, for the one who prints the trace.
    pub(crate) observer: Option<Vec<Call>>,
}

/// One call, for the trace.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    /// None where the supervisor died.
    pub(crate) input: Option<Input>,
    pub(crate) actions: Vec<Action>,
    pub(crate) before: [Option<worker_core::SlotView>; SLOTS],
    pub(crate) after: [Option<worker_core::SlotView>; SLOTS],
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        Self {
            setup,
            ledger: Ledger::new(),
            supervisor: fresh(setup),
            actions: Vec::new(),
            step_actions: Vec::new(),
            requests: 0,
            observer: None,
        }
    }

    pub(crate) fn wakeup(&self) -> Option<Wakeup> {
        self.supervisor.next_wakeup()
    }

    /// Takes a step if the host can be the way that the step says. Tells whether it was taken.
    pub(crate) fn step(&mut self, step: Step, tally: &mut Tally) -> Result<bool, Failure> {
        if usize::from(step.slot) >= self.setup.slots || !self.can(step.slot, step.act) {
            return Ok(false);
        }
        let now = self.time(step.gap);
        let seen = now.max(self.ledger.now);
        let due = self.wakeup().is_some_and(|wakeup| wakeup.at <= seen);
        self.step_actions.clear();
        if step.act == Act::HandOver {
            self.hand_over()?;
        } else if step.act == Act::Die {
            self.die(seen, tally);
        } else if step.act == Act::Tick {
            self.tick(now, tally)?;
        } else if due {
            self.tick_and_act(now, step, tally)?;
        } else {
            let input = self.input(step.slot, step.act);
            self.call(now, input, tally)?;
        }
        Ok(true)
    }

    /// The host is late: deadlines are due when something happens. On a tie the deadline wins, so
    /// that one call must do what a tick and a call after it do.
    fn tick_and_act(&mut self, now: Instant, step: Step, tally: &mut Tally) -> Result<(), Failure> {
        let mut twin = self.supervisor.clone();
        self.tick(now, tally)?;
        if !self.can(step.slot, step.act) {
            return Ok(());
        }
        let input = self.input(step.slot, step.act);
        self.call(now, input.clone(), tally)?;
        let mut together = Vec::new();
        twin.handle(now, input, &mut together);
        let separate = &self.step_actions;
        let same = together == *separate
            && twin.next_wakeup() == self.supervisor.next_wakeup()
            && twin.slots().eq(self.supervisor.slots());
        let slot = usize::from(step.slot);
        let why = || format!("one call does {together:?}, and a tick before it {separate:?}");
        if same { Ok(()) } else { Err(broken(TIE, slot, why())) }
    }

    /// The state is a value that travels: what comes out of it goes on as if nothing had happened.
    fn hand_over(&mut self) -> Result<(), Failure> {
        let text = serde_json::to_string(&self.supervisor);
        let read = text.and_then(|text| serde_json::from_str::<Supervisor>(&text));
        let next = read.map_err(|error| broken(TRAVELS, 0, error.to_string()))?;
        let same = next.next_wakeup() == self.supervisor.next_wakeup()
            && next.slots().eq(self.supervisor.slots());
        self.supervisor = next;
        if same { Ok(()) } else { Err(broken(TRAVELS, 0, "it is not the same as before".into())) }
    }

    /// Another supervisor begins when this one has died, with processes and questions of its own.
    fn die(&mut self, now: Instant, tally: &mut Tally) {
        let before = self.views();
        tally.death(&self.ledger, self.setup.slots);
        self.supervisor = fresh(self.setup);
        self.supervisor.handle(now, Input::Tick, &mut self.actions);
        self.ledger.bury(now);
        let after = self.views();
        if let Some(calls) = &mut self.observer {
            calls.push(Call { at: now, input: None, actions: Vec::new(), before, after });
        }
    }

    fn time(&self, gap: Gap) -> Instant {
        let now = self.ledger.now.as_nanos();
        Instant::from_nanos(match gap {
            Gap::Nanos(nanos) => now.saturating_add(nanos),
            Gap::Back(nanos) => now.saturating_sub(nanos),
            Gap::Wakeup(more) => self
                .wakeup()
                .filter(|wakeup| wakeup.at.since(self.ledger.now) < LIFETIME)
                .map_or(now, |wakeup| wakeup.at.as_nanos().saturating_add_signed(more).max(now)),
        })
    }

    /// Ticks until every deadline has taken effect; each round must get somewhere.
    pub(crate) fn tick(&mut self, now: Instant, tally: &mut Tally) -> Result<(), Failure> {
        for _ in 0..4 {
            self.call(now, Input::Tick, tally)?;
            if self.wakeup().is_none_or(|wakeup| wakeup.at > now) {
                return Ok(());
            }
        }
        let slot = self.wakeup().map_or(0, |wakeup| usize::from(wakeup.slot.get()));
        let why = format!("it is {now}, and the next wakeup is {:?}", self.wakeup());
        Err(broken(PUNCTUAL, slot, why))
    }

    /// Whether the host can say or ask this now.
    pub(crate) fn can(&self, slot: u8, act: Act) -> bool {
        let Act::Say { back, report } = act else {
            return act != Act::Die || self.ledger.shutting.is_none();
        };
        let slot = &self.ledger.slots[usize::from(slot)];
        let Some(run) = slot.runs.get(usize::from(back)) else { return false };
        run.id != 0 && can_say(run, report)
    }

    fn input(&mut self, slot: u8, act: Act) -> Input {
        let id = SlotId::new(u16::from(slot));
        let ask = match act {
            Act::Tick | Act::HandOver | Act::Die => return Input::Tick,
            Act::Start(which) => Ask::Start(self.launch(slot, which)),
            Act::Restart(which) => Ask::Restart(self.launch(slot, which)),
            Act::Resume(which) => Ask::Resume(self.launch(slot, which), Box::new(self.past(slot))),
            Act::Stop => Ask::Stop,
            Act::Reset => Ask::Reset,
            Act::Touch => Ask::Touch,
            Act::Shutdown(urgency) => {
                return Input::Shutdown { request: self.next_request(), urgency };
            }
            Act::Say { back, report } => return self.report(slot, back, report),
        };
        Input::Request { slot: id, request: self.next_request(), ask }
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(self.requests)
    }

    fn launch(&self, slot: u8, which: u8) -> Launch {
        let number = usize::from(slot) * LAUNCHES + usize::from(which) % LAUNCHES;
        Launch { id: LaunchId::new(number as u64), spec: self.setup.specs[number].clone() }
    }

    fn past(&self, slot: u8) -> Past {
        let legacy = self.ledger.slots[usize::from(slot)].legacy.as_ref();
        legacy.map(|legacy| legacy.past).unwrap_or_default()
    }

    fn report(&self, slot: u8, back: u8, report: Report) -> Input {
        let run = &self.ledger.slots[usize::from(slot)].runs[usize::from(back)];
        let report = match report {
            Report::UseChecked { ordered, in_use } => {
                let asked = if ordered == Instant::ZERO { run.check_at } else { run.older_check };
                Report::UseChecked { ordered: asked.unwrap_or_default(), in_use }
            }
            Report::Reserved
            | Report::PortsBusy
            | Report::Spawned
            | Report::SpawnFailed(_)
            | Report::Ready(_)
            | Report::Alive(_)
            | Report::Memory(_)
            | Report::Leased
            | Report::Returned
            | Report::Evict
            | Report::Flushed
            | Report::LeaderExited(_)
            | Report::TreeGone { .. } => report,
        };
        Input::Report { slot: SlotId::new(u16::from(slot)), run: RunId::new(run.id), report }
    }

    fn views(&self) -> [Option<worker_core::SlotView>; SLOTS] {
        std::array::from_fn(|slot| self.ledger.slots[slot].view)
    }

    /// One call of the supervisor, with every check around it.
    fn call(&mut self, now: Instant, input: Input, tally: &mut Tally) -> Result<(), Failure> {
        let before = self.views();
        let seen = now.max(self.ledger.now);
        self.ledger.begin(seen, self.setup);
        let deadlines = self.ledger.read_deadlines(self.setup);
        tally.input(&self.ledger, self.setup.slots, &input);
        let heard = self.ledger.read(&input, self.setup);
        self.actions.clear();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            self.supervisor.handle(now, input.clone(), &mut self.actions);
        }));
        let actions = std::mem::take(&mut self.actions);
        let verdict = match caught {
            Ok(()) => self.check(&before, &input, &actions, heard, deadlines, tally),
            Err(panic) => Err(Failure::Crash(message(&*panic))),
        };
        if let Some(calls) = &mut self.observer {
            let actions = actions.clone();
            let after = std::array::from_fn(|slot| self.ledger.slots[slot].view);
            calls.push(Call { at: seen, input: Some(input), actions, before, after });
        }
        self.step_actions.extend_from_slice(&actions);
        self.actions = actions;
        verdict
    }

    fn check(
        &mut self,
        before: &[Option<worker_core::SlotView>; SLOTS],
        input: &Input,
        actions: &[Action],
        heard: bool,
        deadlines: bool,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let slot = match input {
            Input::Request { slot, .. } | Input::Report { slot, .. } => {
                Some(usize::from(slot.get()))
            }
            Input::Tick | Input::Shutdown { .. } => None,
        };
        let wakeup = self.supervisor.next_wakeup();
        let Self { setup, ledger, supervisor, .. } = self;
        let mut verdict = Ok(());
        for action in actions {
            let scene =
                Scene { setup, ledger, input, slot, heard, deadlines, before, actions, wakeup };
            verdict = verdict.and_then(|()| check_action(&scene, action));
            ledger.book(action);
        }
        for slot in 0..setup.slots {
            let id = SlotId::new(u16::try_from(slot).unwrap_or(u16::MAX));
            ledger.book_view(slot, supervisor.slot(id));
        }
        let scene = Scene { setup, ledger, input, slot, heard, deadlines, before, actions, wakeup };
        tally.call(&scene);
        verdict.and_then(|()| check_after(&scene)).map_err(Failure::Broken)
    }
}

/// Whether the platform may say this of the run: it answers what was ordered, and tells what
/// happened; sometimes twice or late.
fn can_say(run: &Run, report: Report) -> bool {
    match report {
        Report::Reserved | Report::PortsBusy => run.reserve_at.is_some() && !run.reserved,
        Report::Spawned => run.spawn_at.is_some() && !run.spawn_failed,
        Report::SpawnFailed(_) => run.spawn_pending(),
        Report::Ready(_) => run.await_at.is_some() || run.ready_said,
        Report::Alive(_) | Report::Memory(_) => run.watched && !run.gone,
        Report::UseChecked { ordered: Instant::ZERO, .. } => run.check_at.is_some(),
        Report::UseChecked { .. } => run.older_check.is_some(),
        Report::Leased | Report::Evict => run.spawned_at.is_some(),
        Report::Returned => run.leases > 0,
        Report::Flushed => run.flush_at.is_some(),
        Report::LeaderExited(_) => run.spawned_at.is_some() || run.spawn_pending() || run.gone,
        Report::TreeGone { killed, left } => {
            let ended = run.emptied() || killed == 0 && left == 0;
            let told =
                (killed == 0 || run.kill_at.is_some()) && (left == 0 || run.release_at.is_some());
            (run.has_tree() || run.gone) && ended && told
        }
    }
}

fn fresh(setup: &Setup) -> Supervisor {
    Supervisor::new(Settings { seed: setup.seed, ports: setup.ports.clone() })
}

fn broken(rule: Rule, slot: usize, why: String) -> Failure {
    Failure::Broken(Broken { rule, slot, why })
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

const _: () = assert!(REMEMBERED >= 2, "late reports need a run before the present one");
