//! The daemon: the one supervisor of a user, with many slots of many projects.

mod event_hub;

use std::sync::Arc;

use crate::api;
use crate::error::{Code, Failure};

pub use self::event_hub::{EventHub, EventReader, EventRecord};

/// What the control API speaks to. Clones are the same daemon.
#[derive(Clone, Debug, Default)]
pub struct Daemon {
    events: Arc<EventHub>,
}

impl Daemon {
    /// All slots that it knows, by name.
    pub async fn slots(&self) -> api::Slots {
        api::Slots { v: api::VERSION, slots: Vec::new(), warnings: Vec::new() }
    }

    /// One slot by its name in full.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is none.
    pub async fn slot(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Starts a slot; answers when it is ready, or at once if that is asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why it is not, or not yet, ready.
    pub async fn start(
        &self,
        name: &str,
        _: api::StartRequest,
    ) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Stops a slot, then starts it with an empty streak.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(
        &self,
        name: &str,
        _: api::StartRequest,
    ) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Stops a slot; answers when its tree is gone.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is none, or if its tree cannot be ended.
    pub async fn stop(&self, name: &str, _: api::StopRequest) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Re-arms a parked slot.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it is not parked.
    pub async fn reset(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Marks a slot as used.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it has no live run.
    pub async fn touch(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        Err(unknown(name))
    }

    /// Applies a configuration, and starts its eager slots.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the configuration cannot be used; nothing has changed then. What goes wrong
    /// with single slots stands in the answer.
    pub async fn up(&self, project: &str, _: api::UpRequest) -> Result<api::Up, Failure> {
        Err(unknown(project))
    }

    /// Stops all slots of a project.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such project.
    pub async fn down(&self, project: &str, _: api::StopRequest) -> Result<api::Down, Failure> {
        Err(unknown(project))
    }

    /// Stops everything, for good. The process ends after the answer.
    pub async fn shutdown(&self) -> api::Down {
        api::Down { v: api::VERSION, stopped: Vec::new() }
    }

    /// The exact environment of a slot's run.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such slot.
    pub async fn env(&self, name: &str) -> Result<api::Env, Failure> {
        Err(unknown(name))
    }

    /// Who holds which port.
    pub async fn ports(&self) -> api::Ports {
        api::Ports { v: api::VERSION, ports: Vec::new() }
    }

    /// Why a slot's latest runs ended.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such slot.
    pub async fn why(&self, name: &str) -> Result<api::Why, Failure> {
        Err(unknown(name))
    }

    /// How the daemon itself is.
    #[must_use]
    pub fn health(&self) -> api::Health {
        api::Health {
            v: api::VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            state_dir: "/".into(),
            warnings: Vec::new(),
        }
    }

    /// What happens.
    #[must_use]
    pub fn events(&self) -> &Arc<EventHub> {
        &self.events
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(Code::NoSuchSlot, format!("there is no slot {name}"))
}
