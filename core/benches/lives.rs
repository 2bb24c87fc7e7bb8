//! How many inputs a second the reducer takes, with 1,000 slots that live whole lives.

#[path = "fleet/mod.rs"]
mod fleet;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use worker_core::Supervisor;

use crate::fleet::Fleet;

const SLOTS: u16 = 1000;

fn lives(criterion: &mut Criterion) {
    let mut fleet = Fleet::new(SLOTS, Supervisor::handle);
    let inputs = fleet.live();
    let mut group = criterion.benchmark_group("reducer");
    group.throughput(Throughput::Elements(inputs));
    group.bench_function("lives of 1000 slots", |bencher| bencher.iter(|| fleet.live()));
    group.finish();
}

criterion_group!(benches, lives);
criterion_main!(benches);
