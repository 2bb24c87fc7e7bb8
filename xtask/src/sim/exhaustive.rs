//! Small worlds, explored whole: every input in every state that any order of inputs leads to.
//!
//! A breadth-first search, so that the first failure found has a shortest script. Two states are
//! the same if they differ only in the numbers of runs and requests and in what time it is. Time
//! passes from deadline to deadline: what happens between two of them, happens at the first one.

use std::collections::HashSet;
use std::time::Duration;

use worker_core::{
    AliveOptions, Exit, Instant, OnCleanExit, Owner, PortRequest, PrepareOptions, ReadyOptions,
    Report, RestartOptions, RestartWhen, SlotOptions, SpawnFailure, Urgency,
};

use super::episode::{Episode, replay};
use super::faults::{Fault, Faults};
use super::ledger::{Counted, Ledger, REMEMBERED, Run, Slot};
use super::promises::promises;
use super::script::{Act, Gap, Step};
use super::setup::{LAUNCHES, MEMORY_LIMIT, Setup, build};
use super::tally::Tally;
use super::trace;
use super::world::{Failure, World};

/// More requests than these are not open at a time, else there would be no end.
const OPEN: usize = 2;

/// What one small world came to.
pub(crate) struct Explored {
    pub(crate) name: &'static str,
    pub(crate) states: usize,
    pub(crate) transitions: u64,
    pub(crate) depth: usize,
    /// There is no state left that was not looked at.
    pub(crate) whole: bool,
    pub(crate) failure: Option<(Episode, Failure)>,
}

/// Explores every small world, up to so many states of each.
pub(crate) fn run(limit: usize, mut each: impl FnMut(&Explored)) -> Option<(Episode, Failure)> {
    for (name, setup) in small_worlds() {
        let explored = Search::new(setup).run(name, limit);
        each(&explored);
        if explored.failure.is_some() {
            return explored.failure;
        }
    }
    None
}

/// The table of what was explored, and the trace of what failed.
pub(crate) fn report(limit: usize) -> u8 {
    println!("{:<34}{:>10}{:>13}{:>7}", "small world", "states", "transitions", "depth");
    let failed = run(limit, |explored| {
        let Explored { name, states, transitions, depth, whole, .. } = explored;
        let whole = if *whole { "whole" } else { "cut" };
        println!("{name:<34}{states:>10}{transitions:>13}{depth:>7}  {whole}");
    });
    let Some((episode, failure)) = failed else { return 0 };
    let (calls, _) = replay(&episode, &mut Tally::new(), true);
    print!("{}", trace::verdict(&failure));
    println!("\nshrunk to {} steps:\n{}", calls.len(), trace::table(&calls));
    println!("{}", trace::policies(&episode.setup));
    failure.exit_code()
}

/// Delays of one length, since jitter would tell runs apart by their numbers.
fn small_policy() -> SlotOptions {
    let second = Duration::from_secs(1);
    SlotOptions {
        ready: Some(ReadyOptions { timeout: second, any_owner: false }),
        restart: RestartOptions {
            max_failures: 2,
            window: Duration::from_secs(8),
            healthy_after: second * 4,
            backoff: second,
            backoff_max: second,
            ..RestartOptions::default()
        },
        ..SlotOptions::default()
    }
}

fn small_worlds() -> Vec<(&'static str, Setup)> {
    let plain = small_policy;
    let with = |change: fn(&mut SlotOptions)| {
        let mut options = small_policy();
        change(&mut options);
        options
    };
    let at_once = with(|o| o.ready = None);
    let ports = with(|o| o.ports = PortRequest::Auto(2));
    let prepare = with(|o| o.prepare = Some(PrepareOptions::default()));
    let flush = with(|o| o.flush = Some(Duration::from_secs(2)));
    let idle = with(|o| {
        o.idle = Some(Duration::from_secs(3));
        o.ports = PortRequest::Auto(1);
    });
    let alive = with(|o| {
        o.alive = Some(AliveOptions { failures: 2 });
        o.memory_limit = Some(MEMORY_LIMIT);
    });
    let never = with(|o| o.restart.when = RestartWhen::Never);
    let always = with(|o| {
        o.restart.when = RestartWhen::Always;
        o.on_clean_exit = OnCleanExit::Reap;
    });
    let once = with(|o| o.restart.max_failures = 1);
    vec![
        ("one slot", immortal(1, &plain())),
        ("one slot, ready at once", immortal(1, &at_once)),
        ("one slot, ports", immortal(1, &ports)),
        ("one slot, prepare", immortal(1, &prepare)),
        ("one slot, flush", immortal(1, &flush)),
        ("one slot, idle and ports", immortal(1, &idle)),
        ("one slot, liveness and memory", immortal(1, &alive)),
        ("one slot, restart never", immortal(1, &never)),
        ("one slot, restart always, reap", immortal(1, &always)),
        ("one slot, one failure parks", immortal(1, &once)),
        ("two slots, ready at once", immortal(2, &at_once)),
        ("two slots, room for one block", immortal(2, &ports)),
        ("one slot, and death", small_setup(1, &plain())),
        ("one slot, ready at once, and death", small_setup(1, &at_once)),
        ("one slot, prepare, and death", small_setup(1, &prepare)),
        ("one slot, restart never, and death", small_setup(1, &never)),
        ("two slots, ready at once, and death", small_setup(2, &at_once)),
    ]
}

/// The supervisor does not die, so that the other ways get room.
fn immortal(slots: usize, options: &SlotOptions) -> Setup {
    let setup = small_setup(slots, options);
    Setup { faults: setup.faults.without(Fault::Die), ..setup }
}

fn small_setup(slots: usize, options: &SlotOptions) -> Setup {
    let specs = (0..slots * LAUNCHES).map(|_| build(options.clone())).collect();
    Setup { seed: 0, slots, ports: 21_000..=21_001, faults: Faults::ALL, specs }
}

struct Search {
    setup: Setup,
    seen: HashSet<u128>,
    /// How each state was reached: from which one, by which step.
    nodes: Vec<(usize, Step)>,
    transitions: u64,
    tally: Tally,
}

impl Search {
    fn new(setup: Setup) -> Self {
        let (seen, nodes) = (HashSet::new(), Vec::new());
        Self { setup, seen, nodes, transitions: 0, tally: Tally::new() }
    }

    fn run(mut self, name: &'static str, limit: usize) -> Explored {
        let root = Step { gap: Gap::Nanos(0), slot: 0, act: Act::Tick };
        self.nodes.push((0, root));
        let (mut depth, mut level) = (0, 0..1);
        let mut failure = None;
        while !level.is_empty() && self.nodes.len() < limit && failure.is_none() {
            let next = self.nodes.len();
            for node in level {
                if failure.is_none() && self.nodes.len() < limit {
                    failure = self.expand(node);
                }
            }
            level = next..self.nodes.len();
            depth += usize::from(!level.is_empty());
        }
        let (states, transitions) = (self.nodes.len(), self.transitions);
        let whole = states < limit && failure.is_none();
        Explored { name, states, transitions, depth, whole, failure }
    }

    fn script(&self, mut node: usize) -> Vec<Step> {
        let mut script = Vec::new();
        while node != 0 {
            let (parent, step) = self.nodes[node];
            script.push(step);
            node = parent;
        }
        script.reverse();
        script
    }

    /// Takes every step that is possible in a state.
    fn expand(&mut self, node: usize) -> Option<(Episode, Failure)> {
        let script = self.script(node);
        let setup = self.setup.clone();
        let mut world = World::new(&setup);
        for step in &script {
            world.step(*step, &mut self.tally).ok()?;
        }
        for step in steps(&world) {
            let mut after = world.clone();
            let taken = after.step(step, &mut self.tally);
            self.transitions += 1;
            if let Err(failure) = taken {
                let script = [script, vec![step]].concat();
                return Some((Episode { setup, script, end: None }, failure));
            }
            if self.seen.insert(key(&after)) {
                self.nodes.push((node, step));
            }
        }
        None
    }
}

/// Every step that the host can take now.
fn steps(world: &World<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if world.wakeup().is_some() {
        steps.push(Step { gap: Gap::Wakeup(0), slot: 0, act: Act::Tick });
    }
    for slot in 0..world.setup.slots {
        let full = world.ledger.slots[slot].open.len() >= OPEN;
        let number = u8::try_from(slot).unwrap_or(0);
        let no_shutdown = slot > 0 || world.ledger.open_shutdowns.len() >= OPEN;
        let asked = REQUESTS.iter().filter(|act| {
            let shutdown = matches!(act, Act::Shutdown(_));
            !(full || no_shutdown && shutdown)
        });
        let mortal = world.setup.faults.has(Fault::Die);
        let dies: &[Act] = if mortal { &[Act::Die, Act::Resume(0)] } else { &[] };
        let asked = asked.chain(dies);
        let said =
            REPORTS.iter().flat_map(|report| (0..2).map(|back| Act::Say { back, report: *report }));
        let acts = asked.copied().chain(said).filter(|act| world.can(number, *act));
        steps.extend(acts.map(|act| Step { gap: Gap::Nanos(0), slot: number, act }));
    }
    steps
}

const REQUESTS: [Act; 7] = [
    Act::Start(0),
    Act::Stop,
    Act::Restart(0),
    Act::Reset,
    Act::Touch,
    Act::Shutdown(Urgency::Orderly),
    Act::Shutdown(Urgency::Immediate),
];

const REPORTS: [Report; 17] = [
    Report::Reserved,
    Report::PortsBusy,
    Report::Spawned,
    Report::SpawnFailed(SpawnFailure::NotFound),
    Report::Ready(Owner::Own),
    Report::Ready(Owner::Stranger),
    Report::Alive(true),
    Report::Alive(false),
    Report::Memory(MEMORY_LIMIT + 1),
    Report::UseChecked { ordered: Instant::ZERO, in_use: true },
    Report::UseChecked { ordered: Instant::ZERO, in_use: false },
    Report::Evict,
    Report::Flushed,
    Report::LeaderExited(Exit::Code(0)),
    Report::LeaderExited(Exit::Code(1)),
    Report::TreeGone { killed: 0, left: 0 },
    Report::TreeGone { killed: 1, left: 0 },
];

/// What a state is, but for the numbers of runs and requests and the time of day.
fn key(world: &World<'_>) -> u128 {
    let mut key = Key(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    let ledger = &world.ledger;
    key.add(ledger.shutting.map_or(0, |urgency| 1 + urgency as u64));
    key.add(ledger.open_shutdowns.len() as u64);
    for slot in &ledger.slots[..world.setup.slots] {
        add_slot(&mut key, ledger, slot, world.setup);
    }
    key.add(world.wakeup().map_or(u64::MAX, |wakeup| nanos(wakeup.at, ledger.now)));
    key.0
}

fn nanos(at: Instant, now: Instant) -> u64 {
    at.as_nanos().wrapping_sub(now.as_nanos())
}

fn add_failures(key: &mut Key, now: Instant, failures: &[Counted], setup: &Setup) {
    for Counted { at, launch, .. } in failures {
        let window = setup.options(*launch).restart.window;
        let age = now.since(*at).min(window + Duration::from_nanos(1));
        key.add(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX));
    }
    key.add(failures.len().min(2) as u64);
}

fn add_slot(key: &mut Key, ledger: &Ledger, slot: &Slot, setup: &Setup) {
    key.add(slot.state().map_or(0, |state| 1 + state as u64));
    add_failures(key, ledger.now, &slot.failures, setup);
    if let Some(legacy) = &slot.legacy {
        key.add(1 + u64::from(legacy.parked.is_some()));
        add_failures(key, ledger.now, &legacy.failures, setup);
    }
    promises(slot, setup, &mut |promise, at| {
        key.add(promise as u64);
        key.add(nanos(at, ledger.now));
    });
    for open in &slot.open {
        key.add(1 + open.ask as u64 * 2 + u64::from(open.queued));
    }
    key.add(u64::from(slot.held.map_or(0, |(block, sure)| block.first() * 2 + u16::from(sure))));
    key.add(slot.began as u64);
    key.flags(&[slot.unkillable]);
    for run in &slot.runs[..REMEMBERED - 1] {
        add_run(key, run);
    }
}

fn add_run(key: &mut Key, run: &Run) {
    key.add(run.ending.map_or(0, |ending| 1 + ending as u64));
    key.add(run.program.map_or(0, |program| 1 + program as u64));
    key.add(u64::from(run.bad_probes));
    key.flags(&[
        run.id != 0,
        run.reserve_at.is_some(),
        run.reserved,
        run.spawn_at.is_some(),
        run.spawned_at.is_some(),
        run.spawn_failed,
        run.await_at.is_some(),
        run.watched,
        run.ready_said,
        run.ready_at.is_some(),
        run.flush_at.is_some(),
        run.flushed,
        run.signal_at.is_some(),
        run.kill_at.is_some(),
        run.release_at.is_some(),
        run.exit.is_some(),
        run.gone,
        run.dead_first,
        run.named,
        run.check_at.is_some(),
        run.check_void,
    ]);
}

/// FNV-1a with 128 bits, a word at a time.
struct Key(u128);

impl Key {
    fn add(&mut self, word: u64) {
        for half in [word & 0xffff_ffff, word >> 32] {
            self.0 ^= u128::from(half);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    fn flags(&mut self, flags: &[bool]) {
        self.add(flags.iter().fold(1, |bits, flag| bits << 1 | u64::from(*flag)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_inputs_to_a_small_world_keeps_the_rules() {
        let failed = run(3000, |_| ());
        assert!(failed.is_none(), "{failed:?}");
    }
}
