//! A failing script as a table that reads at 100 columns.

use worker_core::{Action, Input, Instant, Order, Report, SlotOptions};

use super::checkers::Broken;
use super::ledger::state_name;
use super::setup::{LAUNCHES, Setup};
use super::world::{Call, Failure};

const WIDTH: usize = 100;

/// One line for each call, and more where it does not fit.
pub(crate) fn table(calls: &[Call]) -> String {
    let mut text =
        format!("{:>12} {:<5} {:<11} {:<26} actions\n", "time", "slot", "state", "input");
    for call in calls {
        line(&mut text, call);
    }
    text
}

fn line(text: &mut String, call: &Call) {
    let slot = slot_of(call);
    let (name, before, after) = match slot {
        Some(slot) => (
            slot.to_string(),
            call.before[slot].map(|view| view.state),
            call.after[slot].map(|view| view.state),
        ),
        None => ("-".into(), None, None),
    };
    let state = if slot.is_some() { state_name(before) } else { String::new() };
    let head = format!(
        "{:>12} {:<5} {:<11} {:<26} ",
        time(call.at),
        name,
        state,
        shorten(&input(&call.input), 26)
    );
    let mut parts: Vec<String> = call.actions.iter().map(action).collect();
    if slot.is_some() && before != after {
        parts.push(format!("-> {}", state_name(after)));
    }
    wrap(text, &head, &parts);
}

fn wrap(text: &mut String, head: &str, parts: &[String]) {
    let mut line = head.to_string();
    for part in parts {
        let part = shorten(part, WIDTH - 58);
        if line.chars().count() + part.chars().count() + 1 > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(58);
        }
        line.push_str(&part);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn slot_of(call: &Call) -> Option<usize> {
    match &call.input {
        Input::Request { slot, .. } | Input::Report { slot, .. } => Some(usize::from(slot.get())),
        Input::Tick | Input::Shutdown { .. } => {
            (0..call.before.len()).find(|slot| call.before[*slot] != call.after[*slot])
        }
    }
}

/// Seconds with all of their nine digits, since deadlines tie at single nanoseconds.
fn time(at: Instant) -> String {
    let nanos = at.as_nanos();
    let digits = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    let short = digits.trim_end_matches('0');
    let short = if short.ends_with('.') { format!("{short}0") } else { short.to_string() };
    format!("{short}s")
}

fn input(input: &Input) -> String {
    match input {
        Input::Tick => "tick".into(),
        Input::Shutdown { urgency, .. } => format!("shutdown {urgency:?}").to_lowercase(),
        Input::Request { request, ask, .. } => {
            let ask = match ask {
                worker_core::Ask::Start(launch) => format!("start {}", launch.id),
                worker_core::Ask::Restart(launch) => format!("restart {}", launch.id),
                worker_core::Ask::Stop => "stop".into(),
                worker_core::Ask::Reset => "reset".into(),
                worker_core::Ask::Touch => "touch".into(),
            };
            format!("{ask} {request}")
        }
        Input::Report { run, report, .. } => format!("{run} {}", said(*report)),
    }
}

fn said(report: Report) -> String {
    match report {
        Report::LeaderExited(exit) => format!("exit {exit}"),
        Report::TreeGone { killed, left } => format!("TreeGone killed={killed} left={left}"),
        Report::Reserved
        | Report::PortsBusy
        | Report::Spawned
        | Report::SpawnFailed(_)
        | Report::Ready(_)
        | Report::Alive(_)
        | Report::Memory(_)
        | Report::UseChecked { .. }
        | Report::Leased
        | Report::Returned
        | Report::Evict
        | Report::Flushed => format!("{report:?}"),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Run { run, order, .. } => format!("{run} {}", ordered(*order)),
        Action::Answer { request, outcome } => format!("{request} {outcome:?}"),
        Action::Event { event, .. } => format!("[{event:?}]"),
    }
}

fn ordered(order: Order) -> String {
    match order {
        Order::Reserve(block) => format!("Reserve {block}"),
        Order::Unreserve(block) => format!("Unreserve {block}"),
        Order::Spawn { program, .. } => format!("Spawn {program:?}"),
        Order::AwaitReady
        | Order::Watch
        | Order::CheckUse { .. }
        | Order::Flush
        | Order::Signal(_)
        | Order::Kill
        | Order::Release => format!("{order:?}"),
    }
}

/// The policies that differ from the defaults, by launch.
pub(crate) fn policies(setup: &Setup) -> String {
    let fields = |options: &SlotOptions| -> Vec<String> {
        let text = format!("{options:#?}");
        let mut fields = Vec::new();
        let mut path = Vec::new();
        for line in text.lines().skip(1).map(str::trim) {
            if let Some(open) = line.strip_suffix([' ', '{', '(']) {
                path.push(open.trim_end_matches([' ', '{', '(']).to_string());
            } else if line.starts_with(['}', ')']) {
                path.pop();
            } else {
                fields.push(format!("{} {line}", path.join(" ")));
            }
        }
        fields
    };
    let default = fields(&SlotOptions::default());
    let mut text = String::new();
    for (launch, spec) in setup.specs.iter().enumerate() {
        let same = launch % LAUNCHES == 1 && setup.specs[launch - 1] == *spec;
        if same {
            continue;
        }
        let changed = fields(spec.options()).into_iter().filter(|field| !default.contains(field));
        let changed: Vec<String> = changed.map(|f| f.trim().trim_end_matches(',').into()).collect();
        text.push_str(&format!("launch{launch}: {}\n", changed.join("; ")));
    }
    text
}

/// What broke, in two lines.
pub(crate) fn verdict(failure: &Failure) -> String {
    match failure {
        Failure::Broken(Broken { rule, slot, why }) => {
            format!("broken: {} ({})\n        slot {slot}: {why}\n", rule.name, rule.cites)
        }
        Failure::Stuck(Broken { rule, slot, why }) => {
            format!("stuck: {} ({})\n       slot {slot}: {why}\n", rule.name, rule.cites)
        }
        Failure::Crash(message) => format!("crash: the core panicked: {message}\n"),
    }
}
