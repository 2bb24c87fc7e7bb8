//! Which options hold together, and what the backoff makes of them.

use std::time::Duration;

use worker_core::{
    AliveOptions, PortRequest, ReadyOptions, RestartOptions, RestartWhen, SlotOptions, SpecError,
    StateName,
};

use crate::host::{CRASH, Host, WEB, millis, secs};

fn restart(options: RestartOptions) -> SlotOptions {
    SlotOptions { restart: options, ..SlotOptions::default() }
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let options = SlotOptions::default().build().unwrap().options().clone();
    let policy = options.restart;
    assert_eq!((policy.max_failures, policy.window), (8, secs(300)));
    assert_eq!((policy.healthy_after, policy.when), (secs(60), RestartWhen::OnFailure));
    assert_eq!((policy.backoff, policy.backoff_max), (secs(1), secs(60)));
    assert_eq!((options.stop.grace, ReadyOptions::default().timeout), (secs(5), secs(30)));
    assert_eq!((options.idle, AliveOptions::default().failures), (None, 3));
}

#[test]
fn options_that_cannot_be_meant_are_refused_with_what_would_do() {
    let policy = RestartOptions::default();
    let zero_ready = Some(ReadyOptions { timeout: Duration::ZERO, ..ReadyOptions::default() });
    let cases = [
        (restart(RestartOptions { max_failures: 0, ..policy }), "use 1 or more"),
        (restart(RestartOptions { backoff: Duration::ZERO, ..policy }), "use 1ms or more"),
        (
            restart(RestartOptions { backoff: secs(120), ..policy }),
            "longer than `backoff_max` (60s)",
        ),
        (restart(RestartOptions { window: secs(59), ..policy }), "make it at least 60s"),
        (SlotOptions { ready: zero_ready, ..SlotOptions::default() }, "never be ready"),
        (
            SlotOptions { alive: Some(AliveOptions { failures: 0 }), ..SlotOptions::default() },
            "use 1 or more",
        ),
    ];
    for (options, mend) in cases {
        let message = options.build().unwrap_err().to_string();
        assert!(message.contains(mend), "{message}");
    }
}

#[test]
fn the_window_must_hold_the_longest_delay_before_parking_and_the_ready_timeout() {
    let fast = RestartOptions { max_failures: 4, window: millis(4800), ..Default::default() };
    assert!(restart(fast).build().is_ok(), "1, 2, 4 s, and a fifth of that as jitter");
    let short = RestartOptions { window: millis(4799), ..fast };
    assert_eq!(
        restart(short).build(),
        Err(SpecError::WindowTooShort { window: millis(4799), needed: millis(4800) })
    );
    assert!(restart(RestartOptions { when: RestartWhen::Never, ..short }).build().is_ok());
    let once = RestartOptions { max_failures: 1, window: Duration::ZERO, ..fast };
    assert!(restart(once).build().is_ok(), "the first failure parks: there is no delay");

    let ready = Some(ReadyOptions { timeout: secs(2), ..ReadyOptions::default() });
    assert!(SlotOptions { ready, ..restart(fast) }.build().is_err());
    let wide = RestartOptions { window: millis(6800), ..fast };
    assert!(SlotOptions { ready, ..restart(wide) }.build().is_ok());
}

#[test]
fn nothing_is_asked_for_by_a_zero() {
    let options = SlotOptions {
        idle: Some(Duration::ZERO),
        ports: PortRequest::Auto(0),
        ..SlotOptions::default()
    };
    let spec = options.build().unwrap();
    assert_eq!((spec.options().idle, spec.options().ports), (None, PortRequest::None));
}

#[test]
fn a_deadline_is_at_most_100_years_away() {
    let options = SlotOptions { idle: Some(Duration::MAX), ..SlotOptions::default() };
    let hundred_years = Duration::from_secs(3_153_600_000);
    assert_eq!(options.build().unwrap().options().idle, Some(hundred_years));
}

/// The delays of a slot that fails again and again.
fn delays(options: RestartOptions, seed: u64) -> Vec<Duration> {
    let settings = worker_core::Settings { seed, ..Default::default() };
    let mut host = Host::with(settings);
    host.up(WEB, restart(options));
    let mut delays = Vec::new();
    loop {
        host.crash(WEB, CRASH);
        if host.state(WEB) == Some(StateName::Failed) {
            return delays;
        }
        delays.push(host.view(WEB).next.unwrap().at.since(host.now()));
        host.sit_out_backoff(WEB);
    }
}

#[test]
fn delays_double_with_up_to_a_fifth_of_jitter_and_never_exceed_the_maximum() {
    let mut jitters = Vec::new();
    for seed in 0..50 {
        let delays = delays(RestartOptions::default(), seed);
        assert_eq!(delays.len(), 7);
        for (delay, base) in delays.into_iter().zip([1, 2, 4, 8, 16, 32, 60]) {
            let base = secs(base);
            assert!(delay >= base && delay <= (base + base / 5).min(secs(60)), "{delay:?}");
            jitters.push((delay - base).as_nanos() * 1000 / base.as_nanos());
        }
    }
    jitters.sort_unstable();
    jitters.dedup();
    assert!(jitters.len() > 50, "jitter differs: {jitters:?}");
    assert!(jitters.first().is_some_and(|&low| low < 20), "{jitters:?}");
    assert!(jitters.last().is_some_and(|&high| high > 180), "{jitters:?}");
}

#[test]
fn the_same_seed_gives_the_same_delays() {
    let policy = RestartOptions::default();
    assert_eq!(delays(policy, 7), delays(policy, 7));
    assert_ne!(delays(policy, 7), delays(policy, 8));
}

#[test]
fn a_long_streak_does_not_overflow_the_doubling() {
    let policy = RestartOptions {
        max_failures: 80,
        backoff: Duration::from_nanos(1),
        ..RestartOptions::default()
    };
    assert_eq!(delays(policy, 0).last(), Some(&secs(60)));
}

#[test]
fn durations_of_any_length_are_no_reason_to_panic() {
    for (backoff, window) in [(secs(1), secs(300)), (Duration::MAX, Duration::MAX)] {
        let policy = RestartOptions {
            max_failures: 100,
            backoff,
            backoff_max: Duration::MAX,
            window,
            ..RestartOptions::default()
        };
        let built = restart(policy).build();
        assert_eq!(built.is_ok(), window == Duration::MAX, "{built:?}");
    }
    let policy = RestartOptions {
        max_failures: 2,
        backoff: Duration::MAX,
        backoff_max: Duration::MAX,
        window: Duration::MAX,
        ..RestartOptions::default()
    };
    let mut host = Host::new();
    host.up(WEB, restart(policy));
    host.crash(WEB, CRASH);
    assert_eq!(host.state(WEB), Some(StateName::Restarting));
}
