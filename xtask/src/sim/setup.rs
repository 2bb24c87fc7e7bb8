//! What a world is made with: slots, policies, and the kinds of fault that it may show.

use std::ops::RangeInclusive;
use std::time::Duration;

use worker_core::{
    AliveOptions, Block, OnCleanExit, PortRequest, PrepareOptions, ReadyOptions, RestartOptions,
    RestartWhen, Signal, SlotOptions, Spec, SpecError, StopOptions,
};

use super::faults::{Fault, Faults};
use super::rng::Rng;

/// The most slots that a world has.
pub(crate) const SLOTS: usize = 3;
/// Each slot has this many launches; the second stands for a config that was changed.
pub(crate) const LAUNCHES: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) slots: usize,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) faults: Faults,
    /// [`LAUNCHES`] for each slot, by number of the launch.
    pub(crate) specs: Vec<Spec>,
}

impl Setup {
    /// Everything is drawn from the seed.
    pub(crate) fn random(seed: u64, rng: &mut Rng) -> Self {
        let faults = Faults::random(rng);
        let slots = rng.pick(&[1, 1, 2, SLOTS]);
        let room = rng.pick(&[3, 6, 400]);
        let mut specs = Vec::with_capacity(slots * LAUNCHES);
        for _ in 0..slots {
            let first = random_spec(rng);
            let changed = faults.has(Fault::ChangedConfig);
            specs.push(first.clone());
            specs.push(if changed { random_spec(rng) } else { first });
        }
        Self { seed, slots, ports: 21_000..=21_000 + room - 1, faults, specs }
    }

    pub(crate) fn options(&self, launch: usize) -> &SlotOptions {
        self.specs[launch].options()
    }

    /// The same world with one thing left out or made smaller; ends with none.
    pub(crate) fn simpler(&self, nth: usize) -> Option<Self> {
        let mut setup = self.clone();
        if nth == 0 {
            for slot in 0..setup.slots {
                setup.specs[slot * LAUNCHES + 1] = setup.specs[slot * LAUNCHES].clone();
            }
            return Some(setup);
        }
        let simplify = SIMPLER.get(nth - 1)?;
        setup.specs = setup
            .specs
            .iter()
            .map(|spec| {
                let mut options = spec.options().clone();
                simplify(&mut options);
                build(options)
            })
            .collect();
        Some(setup)
    }
}

/// Each makes a policy simpler to read, most telling first.
const SIMPLER: [fn(&mut SlotOptions); 17] = [
    |o| o.prepare = None,
    |o| o.ports = PortRequest::None,
    |o| {
        if o.ports != PortRequest::None {
            o.ports = PortRequest::Auto(1);
        }
    },
    |o| o.ready = None,
    |o| o.alive = None,
    |o| o.idle = None,
    |o| o.memory_limit = None,
    |o| o.flush = None,
    |o| o.on_clean_exit = OnCleanExit::Leave,
    |o| o.restart.when = RestartWhen::OnFailure,
    |o| o.restart.max_failures = 2,
    |o| o.restart.max_failures = o.restart.max_failures.saturating_sub(1).max(1),
    |o| o.restart.healthy_after = Duration::from_secs(60),
    |o| (o.restart.backoff, o.restart.backoff_max) = (S1, Duration::from_secs(60)),
    |o| o.restart.window = Duration::from_secs(300),
    |o| {
        (o.restart.backoff, o.restart.backoff_max) = (S1, S1);
        o.restart.window = Duration::ZERO;
    },
    |o| o.stop = StopOptions::default(),
];

const S1: Duration = Duration::from_secs(1);

/// Lengthens the window where it has to be, so that any options make a spec.
pub(crate) fn build(mut options: SlotOptions) -> Spec {
    match options.clone().build() {
        Ok(spec) => spec,
        Err(SpecError::WindowTooShort { needed, .. }) => {
            options.restart.window = needed;
            options.build().expect("a window as long as needed is accepted")
        }
        Err(error) => unreachable!("the simulation draws sound options: {error}"),
    }
}

fn random_spec(rng: &mut Rng) -> Spec {
    let mut some = |n: u64| rng.one_in(n);
    let (prepare, ready, alive) = (some(4), !some(3), some(3));
    let (idle, memory, flush) = (some(3), some(4), some(4));
    let mut options = SlotOptions {
        prepare: prepare
            .then(|| PrepareOptions { timeout: Duration::from_secs(rng.pick(&[0, 5, 600])) }),
        ports: random_ports(rng),
        ready: ready.then(|| ReadyOptions {
            timeout: Duration::from_millis(rng.pick(&[500, 30_000])),
            any_owner: rng.one_in(4),
        }),
        alive: alive.then(|| AliveOptions { failures: rng.pick(&[1, 2, 3]) }),
        stop: StopOptions {
            signal: rng.pick(&[Signal::Term, Signal::Term, Signal::Int, Signal::Quit]),
            grace: Duration::from_millis(rng.pick(&[0, 1, 5000, 5000, 20_000])),
        },
        restart: random_restart(rng),
        idle: idle.then(|| Duration::from_secs(rng.pick(&[2, 60, 900]))),
        memory_limit: memory.then_some(MEMORY_LIMIT),
        on_clean_exit: rng.pick(&[OnCleanExit::Leave, OnCleanExit::Leave, OnCleanExit::Reap]),
        flush: flush.then(|| Duration::from_secs(rng.pick(&[0, 5, 5]))),
    };
    if rng.one_in(16) {
        make_endless(&mut options, rng);
    }
    build(options)
}

/// Longer than any world lasts, and than any clock can show.
const ENDLESS: Duration = Duration::MAX;

fn make_endless(options: &mut SlotOptions, rng: &mut Rng) {
    match rng.below(6) {
        0 => options.stop.grace = ENDLESS,
        1 => options.idle = Some(ENDLESS),
        2 => options.restart.healthy_after = ENDLESS,
        3 => options.restart.window = ENDLESS,
        4 => options.restart.backoff_max = ENDLESS,
        _ => options.ready = Some(ReadyOptions { timeout: ENDLESS, any_owner: false }),
    }
}

/// The only limit on memory that the simulation uses, in bytes.
pub(crate) const MEMORY_LIMIT: u64 = 1 << 30;

fn random_ports(rng: &mut Rng) -> PortRequest {
    match rng.below(8) {
        0..3 => PortRequest::None,
        3..5 => PortRequest::Auto(2),
        5..7 => PortRequest::Auto(1),
        _ => Block::new(21_001, 2).map_or(PortRequest::None, PortRequest::Fixed),
    }
}

fn random_restart(rng: &mut Rng) -> RestartOptions {
    let backoff = Duration::from_millis(rng.pick(&[10, 1000, 1000]));
    RestartOptions {
        when: rng.pick(&[
            RestartWhen::OnFailure,
            RestartWhen::OnFailure,
            RestartWhen::OnFailure,
            RestartWhen::Always,
            RestartWhen::Never,
        ]),
        max_failures: rng.pick(&[1, 2, 2, 3, 4, 8, 8]),
        window: Duration::from_secs(rng.pick(&[1, 40, 300])),
        healthy_after: Duration::from_secs(rng.pick(&[0, 1, 10, 10, 60, 60])),
        backoff,
        backoff_max: backoff * rng.pick(&[1, 3, 60]),
    }
}
