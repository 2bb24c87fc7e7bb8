//! How things are.

use std::time::Duration;

use jiff::Timestamp;
use worker_core::SlotId;

use super::registry::Entry;
use super::{Daemon, deaths, folders, outcome, status};
use crate::api::{self, Env, Health, Port, Ports, SlotStatus, Slots, State, Why};
use crate::driver::Views;
use crate::duration::human;
use crate::error::{Code, Failure};
use crate::logs::SlotLog;
use crate::ports;
use crate::processes;
use crate::ready::Means;
use crate::spawning::Own;

/// The name of what comes after a while without a failure.
const HEALTHY: &str = "healthy";

impl Daemon {
    /// All slots that it knows, by name.
    pub async fn slots(&self) -> Slots {
        let slots = self.kept(self.all_shown()).await;
        Slots { v: api::VERSION, slots, warnings: self.warnings() }
    }

    async fn all_shown(&self) -> Vec<SlotStatus> {
        let views = self.shared.driver.look().await;
        let wall = Timestamp::now();
        let slots = views.map(|views| {
            let registry = self.registry();
            registry.entries().map(|entry| shown(entry, &views, wall)).collect()
        });
        slots.unwrap_or_default()
    }

    /// One slot by its name in full.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is none.
    pub async fn slot(&self, name: &str) -> Result<SlotStatus, Failure> {
        self.kept(self.one_shown(name)).await
    }

    /// As [`slot`](Self::slot), for an answer that has more to say: it may not be written yet.
    pub(super) async fn one_shown(&self, name: &str) -> Result<SlotStatus, Failure> {
        let id = self.registry().find(name)?;
        let views = self.shared.driver.look().await.ok_or_else(outcome::shutting_down)?;
        Ok(shown(self.registry().entry(id), &views, Timestamp::now()))
    }

    /// The exact environment of a slot's run, or of its next one, whose ports are not known yet.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such slot, or if an environment file cannot be read.
    pub async fn env(&self, name: &str) -> Result<Env, Failure> {
        let id = self.registry().find(name)?;
        let variables = match self.shared.host.environment(id) {
            Some(variables) => variables,
            None => self.next_environment(id, name)?,
        };
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let env = variables.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        Ok(Env { v: api::VERSION, slot: name.to_owned(), env })
    }

    fn next_environment(
        &self,
        id: SlotId,
        name: &str,
    ) -> Result<crate::spawning::Variables, Failure> {
        let mut registry = self.registry();
        let base = registry.base(id, None);
        let entry = registry.entry(id);
        let instance = entry.instance.clone().ok_or_else(|| not_configured(name))?;
        let own =
            Own { slot: name, number: entry.record.run + 1, block: None, means: &Means::None };
        Ok(own.over(instance.launch(base)?.environment(None)))
    }

    /// Who holds which port.
    pub async fn ports(&self) -> Ports {
        let kept = self.all_shown().await.into_iter().filter(|it| !it.ports.is_empty());
        let kept: Vec<SlotStatus> = kept.collect();
        // Reads the tables of the kernel.
        let ports = tokio::task::spawn_blocking(move || kept.iter().flat_map(held).collect()).await;
        let mut ports: Vec<Port> = ports.unwrap_or_default();
        ports.sort_by_key(|port| port.port);
        Ports { v: api::VERSION, ports }
    }

    /// Why a slot's latest runs ended.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such slot.
    pub async fn why(&self, name: &str) -> Result<Why, Failure> {
        let slot = self.slot(name).await?;
        let folder = folders::slot(&self.shared.state_dir, name);
        let deaths = tokio::task::spawn_blocking(move || deaths::latest(&folder)).await;
        let next = next(&slot);
        Ok(Why { v: api::VERSION, slot, deaths: deaths.unwrap_or_default(), next })
    }

    /// The output of a slot.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such slot.
    pub fn logs(&self, name: &str) -> Result<SlotLog, Failure> {
        let registry = self.registry();
        let id = registry.find(name)?;
        Ok(registry.entry(id).log.clone())
    }

    /// How the daemon itself is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.registry().retry_to_write();
        Health {
            v: api::VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            state_dir: self.shared.state_dir.to_path_buf(),
            warnings: self.warnings(),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let registry = self.registry();
        let trouble = registry.trouble();
        let hangs = self.shared.disk.hangs_for().map(hangs);
        let logs = registry.entries().filter_map(|entry| {
            let error = entry.log.health().error?;
            Some(format!("the output of {} cannot be kept: {error}", entry.name))
        });
        self.shared.warnings.iter().cloned().chain(hangs).chain(trouble).chain(logs).collect()
    }
}

fn shown(entry: &Entry, views: &Views, wall: Timestamp) -> SlotStatus {
    status::status(entry, views.slots.get(&entry.id), views.now, wall)
}

fn held(slot: &SlotStatus) -> Vec<Port> {
    let port = |port: &u16| {
        let pid = ports::listener(*port);
        Port {
            port: *port,
            slot: slot.slot.clone(),
            run: slot.run,
            pid,
            command: pid.and_then(processes::command),
            since: slot.since.clone(),
        }
    };
    slot.ports.iter().map(port).collect()
}

fn hangs(since: Duration) -> String {
    format!(
        "the disk has not taken for {} what is known of slots: if the daemon ends now, that is forgotten",
        human(since)
    )
}

/// What happens next, in words.
fn next(slot: &SlotStatus) -> String {
    let name = &slot.slot;
    match (slot.state, &slot.next) {
        (State::Failed, _) => format!("nothing until it is re-armed: worker reset {name}"),
        (State::Error, _) => format!("nothing until it is started again: worker start {name}"),
        (State::Stopped, _) => format!("nothing until it is started: worker start {name}"),
        (State::Running, Some(api::Next { at: Some(at), what })) if what == HEALTHY => {
            format!("if it runs until {at}, its failures are forgotten")
        }
        (_, Some(api::Next { at: Some(at), what })) => format!("{what} at {at}"),
        (_, Some(api::Next { at: None, what })) => what.clone(),
        (_, None) => "it keeps running".to_owned(),
    }
}

fn not_configured(name: &str) -> Failure {
    Failure::new(Code::BadConfig, format!("{name} stands in no configuration that can be read"))
        .hint("`worker up` in the folder of its project reads it")
}

#[cfg(test)]
mod tests {
    use worker_core::WakeupReason;

    use super::*;

    #[test]
    fn the_core_calls_it_healthy() {
        assert_eq!(WakeupReason::Healthy.to_string(), HEALTHY);
    }
}
