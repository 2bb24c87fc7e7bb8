//! One step as one line a person can read.
//!
//! ```text
//! +1.500s     slot0#3   running     LeaderExited 1              stopping 10.0s    Kill
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::action::{Action, Order, Outcome, Program};
use crate::exit::Exit;
use crate::id::{RunId, SlotId};
use crate::input::{Ask, Input, Owner, Report, Urgency};
use crate::past::Failures;
use crate::supervisor::Supervisor;
use crate::time::Instant;
use crate::view::SlotView;

/// What one step did to one slot.
#[derive(Clone, Debug)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// The slot.
    pub slot: SlotId,
    /// The slot before the step; none at rest.
    pub before: Option<SlotView>,
    /// What came in. Deadlines that had passed took effect before it.
    pub input: String,
    /// The slot after the step; none at rest.
    pub after: Option<SlotView>,
    /// What went out for this slot, and the answers, which belong to no slot.
    pub actions: Vec<Action>,
}

/// [`Supervisor::handle`], with a line for each slot that it addressed or changed.
///
/// It looks at every slot, so it is meant for logs, tests and simulations.
pub fn handle(
    supervisor: &mut Supervisor,
    now: Instant,
    input: Input,
    actions: &mut Vec<Action>,
) -> Vec<Line> {
    let before: Vec<_> = supervisor.slots().collect();
    let addressed = addressed(&input);
    let mut name = describe_input(&input);
    if let Some(run) = other_run(&input, &before) {
        name = alloc::format!("{name} of {run}");
    }
    let first = actions.len();
    supervisor.handle(now, input, actions);
    let new = &actions[first..];

    let mut slots: Vec<_> = before.iter().map(|&(slot, _)| slot).chain(addressed).collect();
    slots.sort_unstable();
    slots.dedup();
    let view = |slot| before.iter().find(|(id, _)| *id == slot).map(|&(_, view)| view);
    let lines = slots.into_iter().map(|slot| Line {
        at: now,
        slot,
        before: view(slot),
        input: name.clone(),
        after: supervisor.slot(slot),
        actions: new.iter().filter(|action| slot_of(action) == Some(slot)).copied().collect(),
    });
    let mut lines: Vec<_> =
        lines.filter(|line| Some(line.slot) == addressed || line.before != line.after).collect();
    let answers = new.iter().filter(|action| slot_of(action).is_none());
    // At most one slot is addressed; what answers all of them stands with the last.
    if let Some(line) = lines.last_mut() {
        line.actions.extend(answers);
    }
    lines
}

/// The run of a report, if it is not the slot's present one.
fn other_run(input: &Input, before: &[(SlotId, SlotView)]) -> Option<RunId> {
    let Input::Report { slot, run, .. } = input else { return None };
    let present = before.iter().find(|(id, _)| id == slot).and_then(|(_, view)| view.run);
    (present != Some(*run)).then_some(*run)
}

fn addressed(input: &Input) -> Option<SlotId> {
    match input {
        Input::Request { slot, .. } | Input::Report { slot, .. } => Some(*slot),
        Input::Tick | Input::Shutdown { .. } => None,
    }
}

fn slot_of(action: &Action) -> Option<SlotId> {
    match action {
        Action::Run { slot, .. } | Action::Event { slot, .. } => Some(*slot),
        Action::Answer { .. } => None,
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.before.or(self.after).and_then(|view| view.run);
        let who =
            run.map_or_else(|| self.slot.to_string(), |run| alloc::format!("{}{run}", self.slot));
        let at = alloc::format!("+{}", self.at);
        let (before, after) = (state(self.before), self.describe_after());
        let out = describe_actions(&self.actions);
        let line =
            alloc::format!("{at:<11} {who:<9} {before:<10}  {:<27} {after:<17} {out}", self.input);
        f.write_str(line.trim_end())
    }
}

impl Line {
    /// The state, and how long until its next deadline.
    fn describe_after(&self) -> String {
        let mut text = state(self.after);
        if let Some(next) = self.after.and_then(|view| view.next) {
            let millis = next.at.since(self.at).as_millis();
            // Writing to a string does not fail.
            let _ = write!(text, " {}.{}s", millis / 1000, millis % 1000 / 100);
        }
        text
    }
}

fn state(view: Option<SlotView>) -> String {
    view.map_or_else(|| "stopped".into(), |view| view.state.to_string())
}

fn describe_actions(actions: &[Action]) -> String {
    let words: Vec<_> = actions.iter().filter_map(describe_action).collect();
    words.join(", ")
}

/// Events say again what the states say.
fn describe_action(action: &Action) -> Option<String> {
    match action {
        Action::Run { order, .. } => Some(describe_order(order)),
        Action::Answer { request, outcome } => {
            Some(alloc::format!("{request} {}", describe_outcome(outcome)))
        }
        Action::Event { .. } => None,
    }
}

/// An input in a word or two.
#[must_use]
pub fn describe_input(input: &Input) -> String {
    match input {
        Input::Tick => "tick".into(),
        Input::Request { ask, .. } => match ask {
            Ask::Start(_) => "start".into(),
            Ask::Stop => "stop".into(),
            Ask::Restart(_) => "restart".into(),
            Ask::Resume(_, past) => match past.failures {
                Failures::None | Failures::Streak(_) => "resume".into(),
                Failures::Parked(_) => "resume as parked".into(),
            },
            Ask::Reset => "reset".into(),
            Ask::Touch => "touch".into(),
        },
        Input::Report { report, .. } => describe_report(report),
        Input::Shutdown { urgency: Urgency::Orderly, .. } => "shutdown".into(),
        Input::Shutdown { urgency: Urgency::Immediate, .. } => "shutdown now".into(),
    }
}

fn describe_report(report: &Report) -> String {
    match report {
        Report::Reserved => "Reserved".into(),
        Report::PortsBusy => "PortsBusy".into(),
        Report::Spawned => "Spawned".into(),
        Report::SpawnFailed(failure) => alloc::format!("SpawnFailed {failure:?}"),
        Report::Ready(Owner::Own) => "Ready".into(),
        Report::Ready(Owner::Stranger) => "Ready by a stranger".into(),
        Report::Ready(Owner::Unknown) => "Ready by somebody".into(),
        Report::Alive(true) => "Alive".into(),
        Report::Alive(false) => "Alive? no".into(),
        Report::Memory(bytes) => alloc::format!("Memory {bytes}"),
        Report::UseChecked { in_use: true, .. } => "UseChecked in use".into(),
        Report::UseChecked { in_use: false, .. } => "UseChecked unused".into(),
        Report::Leased => "Leased".into(),
        Report::Returned => "Returned".into(),
        Report::Evict => "Evict".into(),
        Report::Flushed => "Flushed".into(),
        Report::LeaderExited(exit) => alloc::format!("LeaderExited {}", describe_exit(*exit)),
        Report::TreeGone { killed: 0, left: 0 } => "TreeGone".into(),
        Report::TreeGone { killed, left } => alloc::format!("TreeGone killed={killed} left={left}"),
    }
}

fn describe_exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => code.to_string(),
        Exit::Signal(signal) => signal.to_string(),
        Exit::Unknown => "?".into(),
    }
}

fn describe_order(order: &Order) -> String {
    match order {
        Order::Reserve(block) => alloc::format!("Reserve {block}"),
        Order::Unreserve(block) => alloc::format!("Unreserve {block}"),
        Order::Spawn { program: Program::Main, .. } => "Spawn".into(),
        Order::Spawn { program: Program::Prepare, .. } => "Spawn prepare".into(),
        Order::AwaitReady => "AwaitReady".into(),
        Order::Watch => "Watch".into(),
        Order::CheckUse { .. } => "CheckUse".into(),
        Order::Flush => "Flush".into(),
        Order::Signal(signal) => signal.to_string(),
        Order::Kill => "Kill".into(),
        Order::Release => "Release".into(),
    }
}

fn describe_outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Started(_) => "started",
        Outcome::StartFailed(_) => "start failed",
        Outcome::Parked(_) => "parked",
        Outcome::Cancelled => "cancelled",
        Outcome::Stopped => "stopped",
        Outcome::Unkillable => "unkillable",
        Outcome::Reset => "reset",
        Outcome::Touched => "touched",
        Outcome::ShutDown { .. } => "shut down",
        Outcome::Refused(_) => "refused",
    }
}
