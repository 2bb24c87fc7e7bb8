//! Every state and phase × every kind of input, as a snapshot that a person can read, and the
//! diagram that follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use worker_core::{
    AliveOptions, Ask, DownCause, Exit, Failures, Input, Launch, Owner, Parked, Past, PortRequest,
    PrepareOptions, ReadyOptions, Report, RequestId, RestartOptions, SlotOptions, SpawnFailure,
    Supervisor, Urgency, trace,
};

use crate::host::{CLEAN, CRASH, Host, WEB, secs};

/// Options under which every phase can be reached.
fn thorough() -> SlotOptions {
    SlotOptions {
        prepare: Some(PrepareOptions::default()),
        ports: PortRequest::Auto(2),
        ready: Some(ReadyOptions::default()),
        alive: Some(AliveOptions { failures: 1 }),
        idle: Some(secs(900)),
        memory_limit: Some(1),
        flush: Some(secs(5)),
        ..SlotOptions::default()
    }
}

fn plain() -> SlotOptions {
    SlotOptions { prepare: None, ..thorough() }
}

fn running(host: &mut Host) {
    host.up(WEB, plain());
    host.ready(WEB);
}

fn stopping(host: &mut Host) {
    running(host);
    host.stop(WEB);
}

/// A state and phase, and how to bring it about.
type Phase = (&'static str, fn(&mut Host));

const PHASES: [Phase; 19] = [
    ("stopped (at rest)", |_| {}),
    ("starting: the preparation is being spawned", |host| {
        host.start_with(WEB, thorough());
    }),
    ("starting: the preparation runs", |host| {
        host.start_with(WEB, thorough());
        host.report(WEB, Report::Spawned);
    }),
    ("starting: the rest of the preparation is being ended", |host| {
        host.start_with(WEB, thorough());
        host.report(WEB, Report::Spawned);
        host.exit(WEB, CLEAN);
    }),
    ("starting: the ports are being reserved", |host| {
        host.start_with(WEB, plain());
    }),
    ("starting: the command is being spawned", |host| {
        host.start_with(WEB, plain());
        host.report(WEB, Report::Reserved);
    }),
    ("starting: not ready yet", |host| {
        host.up(WEB, plain());
    }),
    ("running", running),
    ("running: at the idle deadline, use is being checked", |host| {
        running(host);
        host.advance(secs(900));
    }),
    ("restarting", |host| {
        running(host);
        host.crash(WEB, CRASH);
    }),
    ("stopping: the spawn is not answered", |host| {
        host.start_with(WEB, plain());
        host.report(WEB, Report::Reserved);
        host.stop(WEB);
    }),
    ("stopping: the companion flushes", stopping),
    ("stopping: signalled, in its grace", |host| {
        stopping(host);
        host.report(WEB, Report::Flushed);
    }),
    ("stopping after a failure: killed", |host| {
        running(host);
        host.exit(WEB, CRASH);
    }),
    ("stopping after the failure that parks: killed", |host| {
        let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
        host.up(WEB, SlotOptions { restart: once, ..plain() });
        host.ready(WEB);
        host.exit(WEB, CRASH);
    }),
    ("stopping after a failed preparation: killed", |host| {
        host.start_with(WEB, thorough());
        host.report(WEB, Report::Spawned);
        host.exit(WEB, CRASH);
    }),
    ("stopping: unkillable", |host| {
        stopping(host);
        host.advance(secs(60));
    }),
    ("error", |host| {
        host.start_with(WEB, SlotOptions::default());
        host.report(WEB, Report::SpawnFailed(SpawnFailure::NotFound));
    }),
    ("failed", |host| {
        let once = RestartOptions { max_failures: 1, ..RestartOptions::default() };
        host.up(WEB, SlotOptions { restart: once, ..SlotOptions::default() });
        host.crash(WEB, CRASH);
    }),
];

/// Every kind of input, told to the present run where it is a report.
fn inputs(host: &mut Host) -> Vec<Input> {
    let launch: Launch = host.launch(plain());
    let request = RequestId::new(99);
    let parked = Parked { streak: 8, window: secs(300), last: DownCause::Exited(CRASH) };
    let asks = [
        Ask::Start(launch.clone()),
        Ask::Stop,
        Ask::Restart(launch.clone()),
        Ask::Resume(launch.clone(), Box::default()),
        Ask::Resume(launch, Box::new(Past { spawns: 8, failures: Failures::Parked(parked) })),
        Ask::Reset,
        Ask::Touch,
    ];
    let mut inputs: Vec<_> =
        asks.into_iter().map(|ask| Input::Request { slot: WEB, request, ask }).collect();
    for urgency in [Urgency::Orderly, Urgency::Immediate] {
        inputs.push(Input::Shutdown { request, urgency });
    }
    let view = host.view_of(WEB);
    let ordered = view.and_then(|view| view.last_used).map_or(host.now(), |used| used + secs(900));
    let reports = [
        Report::Reserved,
        Report::PortsBusy,
        Report::Spawned,
        Report::SpawnFailed(SpawnFailure::NotFound),
        Report::Ready(Owner::Own),
        Report::Ready(Owner::Stranger),
        Report::Alive(true),
        Report::Alive(false),
        Report::Memory(2),
        Report::UseChecked { ordered, in_use: true },
        Report::UseChecked { ordered, in_use: false },
        Report::Leased,
        Report::Returned,
        Report::Evict,
        Report::Flushed,
        Report::LeaderExited(CLEAN),
        Report::LeaderExited(CRASH),
        Report::LeaderExited(Exit::Unknown),
        Report::TreeGone { killed: 0, left: 0 },
    ];
    if let Some(run) = view.and_then(|view| view.run) {
        inputs.extend(reports.map(|report| Input::Report { slot: WEB, run, report }));
    }
    inputs
}

/// One cell of the matrix.
struct Cell {
    phase: &'static str,
    input: String,
    line: Option<trace::Line>,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (phase, bring_about) in PHASES {
        let mut host = Host::new();
        bring_about(&mut host);
        for input in inputs(&mut host) {
            cells.push(cell(phase, trace::describe_input(&input), &host, |supervisor, actions| {
                trace::handle(supervisor, host.now(), input.clone(), actions)
            }));
        }
        let deadline = host.view_of(WEB).and_then(|view| view.next);
        if let Some(next) = deadline {
            cells.push(cell(phase, format!("({})", next.reason), &host, |supervisor, actions| {
                trace::handle(supervisor, next.at, Input::Tick, actions)
            }));
        }
    }
    cells
}

fn cell(
    phase: &'static str,
    input: String,
    host: &Host,
    step: impl FnOnce(&mut Supervisor, &mut Vec<worker_core::Action>) -> Vec<trace::Line>,
) -> Cell {
    let mut actions = Vec::new();
    let mut lines = step(&mut host.supervisor().clone(), &mut actions);
    let line = lines.pop().filter(|line| line.before != line.after || !line.actions.is_empty());
    Cell { phase, input, line }
}

#[test]
fn the_matrix_of_states_and_inputs_is_as_it_was_read_last() {
    let mut text = String::new();
    let mut quiet: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut phases: Vec<&str> = Vec::new();
    let mut moves: BTreeMap<&str, String> = BTreeMap::new();
    for Cell { phase, input, line } in cells() {
        if !phases.contains(&phase) {
            phases.push(phase);
        }
        match line {
            None => quiet.entry(phase).or_default().push(input),
            Some(line) => {
                let shown = line.to_string();
                // Behind the columns of time, slot and state, which are the same for all of a phase.
                let rest: String = shown.chars().skip(34).collect();
                let rest = rest.trim_start().trim_start_matches("tick").trim_start();
                let rest = rest.strip_prefix(&input).unwrap_or(rest).trim_start();
                writeln!(moves.entry(phase).or_default(), "  {input:<28} {rest}").unwrap();
            }
        }
    }
    for phase in phases {
        writeln!(text, "{phase}\n{}", moves.remove(phase).unwrap_or_default().trim_end()).unwrap();
        if let Some(inputs) = quiet.remove(phase) {
            writeln!(text, "  nothing changes: {}", inputs.join(", ")).unwrap();
        }
        text.push('\n');
    }
    insta::assert_snapshot!("matrix", text);
}

/// Which inputs lead from which state to which other one.
fn diagram() -> String {
    let state = |view: Option<worker_core::SlotView>| {
        view.map_or_else(|| "stopped".to_owned(), |view| view.state.to_string())
    };
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for Cell { input, line, .. } in cells() {
        let Some(line) = line else { continue };
        let ends = (state(line.before), state(line.after));
        if ends.0 != ends.1 {
            let word = input.split(' ').next().unwrap_or_default();
            let deadline = input.starts_with('(');
            let label = if deadline { input.replace(':', ",") } else { word.to_owned() };
            edges.entry(ends).or_default().insert(label);
        }
    }
    let mut text = String::from("```mermaid\nstateDiagram-v2\n    [*] --> stopped\n");
    for ((from, to), labels) in edges {
        let labels: Vec<_> = labels.into_iter().collect();
        writeln!(text, "    {from} --> {to}: {}", labels.join(", ")).unwrap();
    }
    text + "```\n"
}

#[test]
fn the_state_diagram_in_the_architecture_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- generated: state diagram -->\n", "<!-- end of generated");
    let head = document.find(begin).expect("the document has the mark") + begin.len();
    let tail = head + document[head..].find(end).expect("the document has the end mark");
    let wanted = diagram();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let updated = format!("{}{wanted}{}", &document[..head], &document[tail..]);
        std::fs::write(&path, updated).unwrap();
    } else {
        assert_eq!(
            &document[head..tail],
            wanted,
            "the diagram is out of date: run the tests once with UPDATE_GENERATED=1"
        );
    }
}
