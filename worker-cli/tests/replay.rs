//! A recorded `run` of real processes replays through the core to the same actions.
//!
//! It has a program of its own: whoever supervises adopts and reaps all children of its process.
#![cfg(unix)]

use clap::Parser;
use tokio::sync::mpsc::unbounded_channel;
use worker_cli::args::{Cli, Verb};
use worker_cli::driver::Step;
use worker_cli::plan::Plan;
use worker_cli::run::{Ending, Observers, supervise};
use worker_cli::voice::{Style, Voice};
use worker_core::{Action, Input, Order, Report, Settings, Supervisor};

/// Crashes twice and leaves somebody behind, then ends cleanly.
const SCRIPT: &str = "[ $WORKER_RUN = 3 ] || { setsid sleep 600 & kill -9 $$; }";

fn plan() -> Plan {
    let words = ["worker", "run", "--backoff", "1ms", "--ports", "2", "--", "sh", "-c", SCRIPT];
    let Verb::Run(args) = Cli::try_parse_from(words).unwrap().verb else { panic!("not run") };
    Plan::from_args(*args).unwrap()
}

fn record(settings: Settings) -> (Ending, Vec<Step>) {
    let (recorder, mut steps) = unbounded_channel();
    let voice = Voice::on_stderr(Style { quiet: true, json: false }).unwrap();
    let observers = Observers { voice, watchers: Vec::new(), recorder: Some(recorder) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ending = runtime.block_on(supervise(plan(), settings, None, observers)).unwrap();
    (ending, std::iter::from_fn(|| steps.try_recv().ok()).collect())
}

#[test]
fn a_recorded_run_replays_through_the_core_to_the_same_actions() {
    let settings = Settings { seed: 7, ..Settings::default() };
    let (ending, steps) = record(settings.clone());
    assert_eq!(ending, Ending::Clean);
    check_replay(settings, &steps);
    check_lives(&steps);
}

fn check_replay(settings: Settings, steps: &[Step]) {
    let mut core = Supervisor::new(settings);
    for step in steps {
        // A record survives being written down.
        let json = serde_json::to_string(step).unwrap();
        let step: Step = serde_json::from_str(&json).unwrap();
        let mut actions = Vec::new();
        core.handle(step.now, step.input, &mut actions);
        assert_eq!(actions, step.actions);
    }
    assert_eq!(core.slots().count(), 0, "the slot is at rest");
}

/// The record holds what happened: three lives, two of which needed a kill.
fn check_lives(steps: &[Step]) {
    let orders = |wanted: fn(&Order) -> bool| {
        let all = steps.iter().flat_map(|step| &step.actions);
        all.filter(|action| matches!(action, Action::Run { order, .. } if wanted(order))).count()
    };
    assert_eq!(orders(|order| matches!(order, Order::Spawn { .. })), 3);
    assert_eq!(orders(|order| matches!(order, Order::Kill)), 2);
    assert_eq!(orders(|order| matches!(order, Order::Release)), 1);
    let ends = steps
        .iter()
        .filter(|step| matches!(step.input, Input::Report { report: Report::TreeGone { .. }, .. }));
    assert_eq!(ends.count(), 3);
}
