//! A failing script as a table that reads at 100 columns.

use worker_core::trace::{Line, describe_input};
use worker_core::{Action, Input, SlotId, SlotOptions};

use super::checkers::Broken;
use super::setup::{LAUNCHES, SLOTS, Setup};
use super::world::{Call, Failure};

const WIDTH: usize = 100;
/// Where the actions begin, and what does not fit goes on.
const INDENT: usize = 81;

/// One line for each slot that a call addressed or changed, in the format of the core's traces.
/// The last call shows its events, too.
pub(crate) fn table(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        lines(&mut text, call);
    }
    let events = calls.last().into_iter().flat_map(|call| &call.actions);
    for action in events {
        if let Action::Event { slot, event, .. } = action {
            wrap(&mut text, &format!("{:>20} told: {event:?}", slot.to_string()), 27);
        }
    }
    text
}

fn lines(text: &mut String, call: &Call) {
    let addressed = call.input.as_ref().and_then(addressed);
    let mut shown: Vec<usize> = (0..SLOTS)
        .filter(|slot| Some(*slot) == addressed || call.before[*slot] != call.after[*slot])
        .collect();
    if shown.is_empty() {
        shown.push(0);
    }
    let last = shown.last().copied();
    for slot in shown {
        let line = line(call, slot, addressed == Some(slot), last == Some(slot));
        wrap(text, &line.to_string(), INDENT);
    }
}

fn line(call: &Call, slot: usize, addressed: bool, answers: bool) -> Line {
    let id = SlotId::new(u16::try_from(slot).unwrap_or(0));
    let mut input = call.input.as_ref().map_or_else(|| "(death)".into(), describe_input);
    if let Some(Input::Report { run, .. }) = &call.input
        && call.before[slot].and_then(|view| view.run) != Some(*run)
        && addressed
    {
        input = format!("{input} of {run}");
    }
    let actions = call.actions.iter().filter(|action| match action {
        Action::Run { slot, .. } | Action::Event { slot, .. } => *slot == id,
        Action::Answer { .. } => answers,
    });
    let (before, after) = (call.before[slot], call.after[slot]);
    Line { at: call.at, slot: id, before, input, after, actions: actions.copied().collect() }
}

fn addressed(input: &Input) -> Option<usize> {
    match input {
        Input::Request { slot, .. } | Input::Report { slot, .. } => Some(usize::from(slot.get())),
        Input::Tick | Input::Shutdown { .. } => None,
    }
}

/// Breaks a line between words.
fn wrap(text: &mut String, line: &str, indent: usize) {
    let mut rest = line.to_string();
    while rest.chars().count() > WIDTH {
        let fits = rest.char_indices().nth(WIDTH).map_or(rest.len(), |(at, _)| at);
        let at = rest[..fits].rfind(' ').filter(|at| *at > indent).unwrap_or(fits);
        text.push_str(rest[..at].trim_end());
        text.push('\n');
        rest = format!("{:indent$}{}", "", rest[at..].trim_start());
    }
    text.push_str(rest.trim_end());
    text.push('\n');
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
