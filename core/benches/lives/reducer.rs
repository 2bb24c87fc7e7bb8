//! The benchmark itself.

use criterion::{Criterion, Throughput, criterion_group};
use worker_core::Supervisor;

use crate::fleet::Fleet;

const SLOTS: u16 = 1000;

fn lives(criterion: &mut Criterion) {
    let mut fleet = Fleet::new(SLOTS, Supervisor::handle);
    let inputs = fleet.live();
    count_allocations(&mut || fleet.live());

    let mut group = criterion.benchmark_group("reducer");
    group.throughput(Throughput::Elements(inputs));
    group.bench_function("lives of 1000 slots", |bencher| bencher.iter(|| fleet.live()));
    group.finish();
}

fn count_allocations(live: &mut impl FnMut() -> u64) {
    let mut inputs = 0;
    let allocations = allocation_counter::measure(|| inputs = (0..100).map(|_| live()).sum());
    println!("=> {} allocations in {inputs} inputs", allocations.count_total);
}

criterion_group!(benches, lives);
