//! The policies of a slot, checked by the core, whose errors get their places here.

use std::time::Duration;

use worker_core::{
    AliveOptions, PortRequest, PrepareOptions, ReadyOptions, RestartOptions, SlotOptions, Spec,
    SpecError, StopOptions,
};

use super::{Checks, Draft};
use crate::config::problem::Problem;
use crate::config::setting::At;
use crate::config::slot::Start;
use crate::config::source::Place;
use crate::config::tables::{AliveTable, ReadyTable, RestartTable, SlotTable, StopTable};
use crate::config::values::{Idle, OrNone, Owner, Time};
use crate::duration::exact;

/// For slots on demand.
const IDLE: Duration = Duration::from_secs(15 * 60);

impl Checks<'_> {
    pub(super) fn spec(
        &mut self,
        draft: &Draft<'_>,
        start: Start,
        ready: bool,
        alive: bool,
    ) -> Option<Spec> {
        let mut options = options(&draft.table, start);
        options.ready = options.ready.filter(|_| ready);
        options.alive = options.alive.filter(|_| alive);
        self.build(options, draft)
    }

    /// The core names the first thing that is wrong. For the next one, the first has to be mended.
    fn build(&mut self, mut options: SlotOptions, draft: &Draft<'_>) -> Option<Spec> {
        let mut is_good = true;
        loop {
            match options.clone().build() {
                Ok(spec) => return is_good.then(|| self.shared(spec)),
                Err(error) => {
                    self.add(problem(error, draft));
                    mend(&mut options, error);
                    is_good = false;
                }
            }
        }
    }

    /// Slots mostly have the policies of the one before, and share them then.
    fn shared(&mut self, spec: Spec) -> Spec {
        match &self.latest {
            Some(latest) if *latest == spec => latest.clone(),
            _ => self.latest.insert(spec).clone(),
        }
    }
}

fn options(table: &SlotTable, start: Start) -> SlotOptions {
    let prepare = table.prepare.as_ref().filter(|words| !words.value.0.is_empty());
    SlotOptions {
        prepare: prepare.map(|_| PrepareOptions::default()),
        ports: table.ports.as_ref().map_or(PortRequest::None, |ports| ports.value.0),
        ready: some(table.ready.as_deref()).map(ready_options),
        alive: some(table.alive.as_deref()).map(alive_options),
        stop: table.stop.as_ref().map(|stop| stop_options(&stop.value)).unwrap_or_default(),
        restart: table.restart.as_ref().map(|it| restart_options(&it.value)).unwrap_or_default(),
        idle: idle(table, start),
        memory_limit: table
            .limits
            .as_ref()
            .and_then(|limits| some(limits.value.memory.as_deref()))
            .map(|size| size.0),
        on_clean_exit: table.on_clean_exit.as_ref().map(|it| it.value.0.into()).unwrap_or_default(),
        flush: None,
    }
}

fn idle(table: &SlotTable, start: Start) -> Option<Duration> {
    match (table.idle.as_ref().map(|idle| idle.value), start) {
        (Some(Idle::After(after)), _) => Some(after),
        (None, Start::OnDemand) => Some(IDLE),
        (Some(Idle::Never), _) | (None, Start::Eager) => None,
    }
}

fn ready_options(table: &ReadyTable) -> ReadyOptions {
    let default = ReadyOptions::default();
    ReadyOptions {
        timeout: time(table.timeout.as_deref(), default.timeout),
        any_owner: table.owner.as_ref().is_some_and(|owner| owner.value.0 == Owner::Any),
    }
}

fn alive_options(table: &AliveTable) -> AliveOptions {
    let failures = table.failures.as_ref().map(|failures| failures.value.0);
    failures.map_or_else(AliveOptions::default, |failures| AliveOptions { failures })
}

fn stop_options(table: &StopTable) -> StopOptions {
    let default = StopOptions::default();
    StopOptions {
        signal: table.signal.as_ref().map_or(default.signal, |signal| signal.value.0),
        grace: time(table.grace.as_deref(), default.grace),
    }
}

fn restart_options(table: &RestartTable) -> RestartOptions {
    let default = RestartOptions::default();
    RestartOptions {
        when: table.when.as_ref().map_or(default.when, |when| when.value.0.into()),
        max_failures: table.max_failures.as_ref().map_or(default.max_failures, |it| it.value.0),
        window: time(table.window.as_deref(), default.window),
        healthy_after: time(table.healthy_after.as_deref(), default.healthy_after),
        backoff: time(table.backoff.as_deref(), default.backoff),
        backoff_max: time(table.backoff_max.as_deref(), default.backoff_max),
    }
}

fn time(setting: Option<&At<Time>>, default: Duration) -> Duration {
    setting.map_or(default, |setting| setting.value.0)
}

/// What is set and not switched off.
pub(super) fn some<T>(setting: Option<&At<OrNone<T>>>) -> Option<&T> {
    match &setting?.value {
        OrNone::Some(setting) => Some(setting),
        OrNone::None => None,
    }
}

fn problem(error: SpecError, draft: &Draft<'_>) -> Problem {
    let setting = place(error, &draft.table);
    let is_own = setting.is_none() || setting == place(error, draft.own);
    draft.problem(problem_at(setting.unwrap_or(draft.place), error), is_own)
}

fn problem_at(place: &Place, error: SpecError) -> Problem {
    match error {
        SpecError::BackoffOverMax { backoff, backoff_max } => Problem::new(
            place,
            format!(
                "`backoff` ({}) is longer than `backoff_max` ({})",
                exact(backoff),
                exact(backoff_max)
            ),
        )
        .hint("make `backoff_max` at least as long as `backoff`"),
        SpecError::WindowTooShort { window, needed } => Problem::new(
            place,
            format!(
                "two failures can lie {} apart, and `window` is {}, so it would never give up",
                exact(needed),
                exact(window)
            ),
        )
        .hint(format!("make `window` at least {}, or the delays shorter", exact(needed))),
        SpecError::MaxFailuresZero
        | SpecError::BackoffZero
        | SpecError::ReadyTimeoutZero
        | SpecError::AliveFailuresZero => Problem::new(place, error.to_string()),
    }
}

/// The settings that an error is about, the most telling one that was made.
fn place(error: SpecError, table: &SlotTable) -> Option<&Place> {
    let restart = table.restart.as_ref().map(|restart| &restart.value);
    let backoff = restart.and_then(|it| it.backoff.as_ref()).map(|it| &it.place);
    let backoff_max = restart.and_then(|it| it.backoff_max.as_ref()).map(|it| &it.place);
    let max_failures = restart.and_then(|it| it.max_failures.as_ref()).map(|it| &it.place);
    let window = restart.and_then(|it| it.window.as_ref()).map(|it| &it.place);
    let ready = some(table.ready.as_deref()).and_then(|it| it.timeout.as_ref()).map(|it| &it.place);
    let alive =
        some(table.alive.as_deref()).and_then(|it| it.failures.as_ref()).map(|it| &it.place);
    match error {
        SpecError::MaxFailuresZero => max_failures,
        SpecError::BackoffZero => backoff,
        SpecError::BackoffOverMax { .. } => backoff.or(backoff_max),
        SpecError::WindowTooShort { .. } => {
            window.or(ready).or(backoff_max).or(backoff).or(max_failures)
        }
        SpecError::ReadyTimeoutZero => ready,
        SpecError::AliveFailuresZero => alive,
    }
}

/// Mends without an error of another kind in its wake.
fn mend(options: &mut SlotOptions, error: SpecError) {
    match error {
        SpecError::MaxFailuresZero => {
            options.restart.max_failures = RestartOptions::default().max_failures;
        }
        SpecError::BackoffZero => {
            options.restart.backoff = RestartOptions::default().backoff;
            options.restart.backoff_max = options.restart.backoff_max.max(options.restart.backoff);
        }
        SpecError::BackoffOverMax { backoff, .. } => options.restart.backoff_max = backoff,
        SpecError::WindowTooShort { needed, .. } => options.restart.window = needed,
        SpecError::ReadyTimeoutZero => options.ready = Some(ReadyOptions::default()),
        SpecError::AliveFailuresZero => options.alive = Some(AliveOptions::default()),
    }
}
