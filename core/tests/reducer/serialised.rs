//! A supervisor travels: what comes out of its serialised form goes on as if nothing had been.

#![cfg(feature = "serde")]

use worker_core::{
    Action, Input, Instant, Past, PortRequest, Report, RequestId, SlotOptions, SpawnFailure,
    StateName, Supervisor, Urgency,
};

use crate::host::{CRASH, DB, Host, WEB, secs};

#[test]
fn a_past_is_kept_as_text_and_read_as_it_was() {
    let mut host = Host::new();
    host.up(WEB, SlotOptions::default());
    let keep = |host: &Host| {
        let past = host.view(WEB).past;
        let text = serde_json::to_string(&past).unwrap();
        assert_eq!(serde_json::from_str::<Past>(&text).unwrap(), past);
        text
    };
    assert_eq!(keep(&host), r#"{"spawns":1,"failures":"None"}"#);
    host.crash(WEB, CRASH);
    let streak = r#"{"failures":1,"latest":0,"cause":{"Exited":{"Code":3}}}"#;
    assert_eq!(keep(&host), format!(r#"{{"spawns":1,"failures":{{"Streak":{streak}}}}}"#));
    for _ in 1..8 {
        host.sit_out_backoff(WEB);
        host.crash(WEB, CRASH);
    }
    assert!(keep(&host).starts_with(r#"{"spawns":8,"failures":{"Parked":{"streak":8,"#));
}

#[test]
fn a_streak_of_no_failure_is_no_past() {
    let text = r#"{"spawns":1,"failures":{"Streak":{"failures":0,"latest":0,"cause":{"Exited":"Unknown"}}}}"#;
    let error = serde_json::from_str::<Past>(text).unwrap_err();
    assert!(error.to_string().contains("nonzero"), "{error}");
}

#[test]
fn a_supervisor_that_travelled_knows_which_of_its_slots_are_resumed() {
    let mut host = Host::new();
    host.resume(WEB, SlotOptions::default(), Past::default());
    let text = serde_json::to_string(host.supervisor()).unwrap();
    let mut copy: Supervisor = serde_json::from_str(&text).unwrap();
    let report = Report::SpawnFailed(SpawnFailure::NotFound);
    copy.handle(host.now(), Input::Report { slot: WEB, run: host.run(WEB), report }, &mut vec![]);
    assert_eq!(copy.slot(WEB).map(|view| view.state), Some(StateName::Restarting));
}

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
