//! The scenarios in `core/tests/scenarios`: small scripts that real supervisors got wrong, each
//! followed by the trace that the reducer gives.
//!
//! A script has one step a line. `web` and any other word in its place is a slot:
//!
//! ```text
//! web: max_failures=2 ready=30s ports=1     policies, before the first start
//! start web, stop web, restart web, reset web, touch web, shutdown, shutdown now
//! die                                       another supervisor takes over, and the old runs are gone
//! resume web                                from what the one that died last showed of it
//! reserved web, busy web, spawned web, missing web, ready web, stranger web, flushed web
//! exit web 3, exit web KILL, gone web, unresponsive web, memory web 11, unused web, evict web
//! old …                                     the same about the run before the present one
//! wait 1.5s                                 lets each deadline take effect in its time
//! oversleep 1.5s                            moves the clock only
//! ```
//!
//! Behind the line `---` stands the trace. `UPDATE_GENERATED=1 cargo test` writes it anew.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use worker_core::invariant::Watcher;
use worker_core::{
    AliveOptions, Ask, Exit, Input, Instant, Launch, LaunchId, OnCleanExit, Owner, Past,
    PortRequest, PrepareOptions, ReadyOptions, Report, RequestId, RestartWhen, RunId, Settings,
    Signal, SlotId, SlotOptions, SpawnFailure, Supervisor, Urgency, trace,
};

const MARK: &str = "---\n";

/// A script that is being played.
struct Stage {
    now: Instant,
    supervisor: Supervisor,
    watcher: Watcher,
    slots: Vec<(String, SlotOptions)>,
    /// What the supervisor that died last showed.
    pasts: Vec<(SlotId, Past)>,
    requests: u64,
    trace: String,
}

impl Stage {
    fn new() -> Self {
        let supervisor = Supervisor::new(Settings::default());
        Self {
            now: Instant::ZERO,
            watcher: Watcher::new(supervisor.clone()),
            supervisor,
            slots: Vec::new(),
            pasts: Vec::new(),
            requests: 0,
            trace: String::new(),
        }
    }

    fn play(&mut self, line: &str) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["wait", time] => self.advance(self.now + duration(time)),
            ["oversleep", time] => self.now = self.now + duration(time),
            ["die"] => self.die(),
            ["shutdown"] => self.shut_down(Urgency::Orderly),
            ["shutdown", "now"] => self.shut_down(Urgency::Immediate),
            ["old", verb, slot, ref rest @ ..] => self.report(slot, 1, verb, rest),
            [slot, ref policies @ ..] if slot.ends_with(':') => {
                let slot = self.slot(slot.trim_end_matches(':'));
                for policy in policies {
                    set(&mut self.slots[usize::from(slot.get())].1, policy);
                }
            }
            [verb, slot, ref rest @ ..] => match self.ask(slot, verb) {
                Some(ask) => {
                    let (slot, request) = (self.slot(slot), self.next_request());
                    self.handle(Input::Request { slot, request, ask });
                }
                None => self.report(slot, 0, verb, rest),
            },
            _ => panic!("no such step: {line}"),
        }
    }

    fn handle(&mut self, input: Input) {
        let mut actions = Vec::new();
        let step = self.watcher.handle(self.now, input.clone(), &mut actions);
        step.unwrap_or_else(|broken| panic!("{broken}: {input:?}"));
        for line in trace::handle(&mut self.supervisor, self.now, input, &mut actions) {
            writeln!(self.trace, "{line}").unwrap();
        }
    }

    fn die(&mut self) {
        self.pasts = self.supervisor.slots().map(|(slot, view)| (slot, view.past)).collect();
        self.supervisor = Supervisor::new(Settings::default());
        self.watcher = Watcher::new(self.supervisor.clone());
        writeln!(self.trace, "+{} the supervisor died, and another one takes over", self.now)
            .unwrap();
    }

    fn past(&self, slot: SlotId) -> Past {
        let mut pasts = self.pasts.iter();
        pasts.find(|(known, _)| *known == slot).map(|(_, past)| *past).unwrap_or_default()
    }

    fn advance(&mut self, end: Instant) {
        while let Some(wakeup) = self.supervisor.next_wakeup().filter(|wakeup| wakeup.at <= end) {
            self.now = self.now.max(wakeup.at);
            self.handle(Input::Tick);
        }
        self.now = end;
    }

    fn shut_down(&mut self, urgency: Urgency) {
        let request = self.next_request();
        self.handle(Input::Shutdown { request, urgency });
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(self.requests)
    }

    fn slot(&mut self, name: &str) -> SlotId {
        let known = self.slots.iter().position(|(slot, _)| slot == name);
        let index = known.unwrap_or_else(|| {
            self.slots.push((name.to_owned(), SlotOptions::default()));
            self.slots.len() - 1
        });
        SlotId::new(u16::try_from(index).unwrap())
    }

    fn ask(&mut self, slot: &str, verb: &str) -> Option<Ask> {
        let slot = self.slot(slot);
        let options = self.slots[usize::from(slot.get())].1.clone();
        let launch = || Launch { id: LaunchId::new(1), spec: options.build().unwrap() };
        match verb {
            "start" => Some(Ask::Start(launch())),
            "stop" => Some(Ask::Stop),
            "restart" => Some(Ask::Restart(launch())),
            "resume" => Some(Ask::Resume(launch(), Box::new(self.past(slot)))),
            "reset" => Some(Ask::Reset),
            "touch" => Some(Ask::Touch),
            _ => None,
        }
    }

    /// About the present run of the slot, the last one if there is none, or so many before it.
    fn report(&mut self, slot: &str, ago: u64, verb: &str, rest: &[&str]) {
        let slot = self.slot(slot);
        let view = self.supervisor.slot(slot);
        let last_used = view.and_then(|view| view.last_used).unwrap_or_default();
        let report = match (verb, rest) {
            ("reserved", []) => Report::Reserved,
            ("busy", []) => Report::PortsBusy,
            ("spawned", []) => Report::Spawned,
            ("missing", []) => Report::SpawnFailed(SpawnFailure::NotFound),
            ("ready", []) => Report::Ready(Owner::Own),
            ("stranger", []) => Report::Ready(Owner::Stranger),
            ("flushed", []) => Report::Flushed,
            ("exit", [how]) => Report::LeaderExited(exit(how)),
            ("gone", []) => Report::TreeGone { killed: 0, left: 0 },
            ("unresponsive", []) => Report::Alive(false),
            ("memory", [bytes]) => Report::Memory(bytes.parse().unwrap()),
            ("unused", []) => Report::UseChecked {
                ordered: last_used + self.slots[usize::from(slot.get())].1.idle.unwrap(),
                in_use: false,
            },
            ("evict", []) => Report::Evict,
            _ => panic!("no such step: {verb} {rest:?}"),
        };
        let present = view.and_then(|view| view.run).map_or(1, RunId::get);
        let run = RunId::new(present - ago);
        self.handle(Input::Report { slot, run, report });
    }
}

fn exit(how: &str) -> Exit {
    let signal = || Exit::Signal(Signal::from_name(how).expect(how));
    how.parse().map_or_else(|_| signal(), Exit::Code)
}

fn duration(text: &str) -> Duration {
    let seconds = text.strip_suffix('s').expect(text);
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let millis: u64 = format!("{part:0<3}").parse().expect(text);
    Duration::from_secs(whole.parse().expect(text)) + Duration::from_millis(millis)
}

fn set(options: &mut SlotOptions, policy: &str) {
    let (name, value) = policy.split_once('=').unwrap_or((policy, ""));
    match name {
        "prepare" => options.prepare = Some(PrepareOptions::default()),
        "ports" => options.ports = PortRequest::Auto(value.parse().unwrap()),
        "ready" => {
            options.ready = Some(ReadyOptions { timeout: duration(value), any_owner: false });
        }
        "alive" => options.alive = Some(AliveOptions { failures: value.parse().unwrap() }),
        "grace" => options.stop.grace = duration(value),
        "flush" => options.flush = Some(duration(value)),
        "idle" => options.idle = Some(duration(value)),
        "memory" => options.memory_limit = Some(value.parse().unwrap()),
        "reap" => options.on_clean_exit = OnCleanExit::Reap,
        "max_failures" => options.restart.max_failures = value.parse().unwrap(),
        "window" => options.restart.window = duration(value),
        "healthy_after" => options.restart.healthy_after = duration(value),
        "restart" => {
            options.restart.when = match value {
                "always" => RestartWhen::Always,
                "never" => RestartWhen::Never,
                _ => panic!("no such policy: {policy}"),
            }
        }
        _ => panic!("no such policy: {policy}"),
    }
}

/// Plays the script of one file, and gives the file as it should be.
fn replayed(file: &str) -> String {
    let script = file.split_once(MARK).map_or(file, |(script, _)| script);
    let mut stage = Stage::new();
    let steps = script.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    steps.for_each(|line| stage.play(line));
    format!("{script}{MARK}{}", stage.trace)
}

#[test]
fn every_scenario_gives_its_trace() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read_to_string(&path).unwrap();
        let wanted = replayed(&file);
        if update {
            std::fs::write(&path, wanted).unwrap();
        } else {
            assert_eq!(file, wanted, "{}: see the head of scenarios.rs", path.display());
        }
        played += 1;
    }
    assert!(played >= 17, "the scenarios are where they belong");
}
