//! In the steady state, when every slot has lived once, the reducer allocates nothing.

#[path = "../benches/lives/fleet.rs"]
mod fleet;

use allocation_counter::measure;
use worker_core::{Action, Input, Instant, Supervisor};

use crate::fleet::Fleet;

#[test]
fn whole_lives_of_a_thousand_slots_allocate_nothing() {
    let mut fleet = Fleet::new(1000, Supervisor::handle);
    fleet.live();
    let allocations = measure(|| {
        for _ in 0..10 {
            fleet.live();
        }
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn every_input_of_these_lives_changes_something() {
    let mut fleet = Fleet::new(10, handle_a_change);
    let inputs = fleet.live();
    // Seven for a crash: backoff over, reserved, spawned, ready, healthy, exit, tree gone. Eight for
    // a stop: start, reserved, spawned, ready, touch, stop, exit, tree gone.
    assert_eq!(inputs, 5 * 7 + 5 * 8);
    assert_eq!(fleet.live(), inputs);
}

fn handle_a_change(
    supervisor: &mut Supervisor,
    now: Instant,
    input: Input,
    actions: &mut Vec<Action>,
) {
    let before: Vec<_> = supervisor.slots().collect();
    supervisor.handle(now, input.clone(), actions);
    let is_changed = !actions.is_empty() || !supervisor.slots().eq(before);
    assert!(is_changed, "{input:?} changes nothing");
}
