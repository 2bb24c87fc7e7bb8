//! Values for the tests of renderers.

use crate::api::{Death, SlotStatus, State};

/// A slot that has been in this state for a minute, with nothing else to say.
pub(super) fn slot(slot: &str, state: State) -> SlotStatus {
    SlotStatus {
        slot: slot.to_owned(),
        state,
        run: 1,
        pid: None,
        ports: Vec::new(),
        url: None,
        since: "2026-11-22T07:09:00.000Z".to_owned(),
        last_used: None,
        restarts: 0,
        streak: 0,
        max_failures: 8,
        next: None,
        last_error: None,
    }
}

/// A slot that is well.
pub(super) fn running(name: &str) -> SlotStatus {
    SlotStatus {
        pid: Some(4711),
        ports: vec![21_000, 21_001],
        url: Some("http://127.0.0.1:21000".to_owned()),
        since: "2026-11-22T05:05:00.000Z".to_owned(),
        run: 3,
        restarts: 2,
        ..slot(name, State::Running)
    }
}

/// An end by an exit code, a minute ago.
pub(super) fn death(run: u64) -> Death {
    Death {
        run,
        time: "2026-11-22T07:09:00.000Z".to_owned(),
        cause: "exit code 1".to_owned(),
        code: Some(1),
        signal: None,
        failure: true,
        uptime_ms: Some(3_120),
        evidence: Vec::new(),
        output: Vec::new(),
    }
}
