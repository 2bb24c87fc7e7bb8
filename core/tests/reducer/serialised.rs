//! A supervisor travels: what comes out of its serialised form goes on as if nothing had been.

#![cfg(feature = "serde")]

use worker_core::{
    Action, Input, Instant, PortRequest, Report, RequestId, SlotOptions, Supervisor, Urgency,
};

use crate::host::{CRASH, DB, Host, WEB, secs};

#[test]
fn a_supervisor_that_travelled_does_what_the_original_does() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions { ports: PortRequest::Auto(2), ..SlotOptions::default() });
    host.crash(WEB, CRASH);
    host.start_with(DB, SlotOptions { idle: Some(secs(5)), ..SlotOptions::default() });

    let mut original = host.supervisor().clone();
    let text = serde_json::to_string(&original).unwrap();
    let mut copy: Supervisor = serde_json::from_str(&text).unwrap();
    assert_eq!(copy.next_wakeup(), original.next_wakeup());

    let run = host.run(DB);
    let script = [
        Input::Report { slot: DB, run, report: Report::Spawned },
        Input::Tick,
        Input::Shutdown { request: RequestId::new(9), urgency: Urgency::Orderly },
    ];
    let step = |supervisor: &mut Supervisor| {
        let mut actions: Vec<Action> = Vec::new();
        for (second, input) in script.iter().enumerate() {
            let now = Instant::from_millis(4_000 * second as u64);
            supervisor.handle(now, input.clone(), &mut actions);
        }
        actions
    };
    assert_eq!(step(&mut copy), step(&mut original));
}
