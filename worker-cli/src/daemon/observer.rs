//! What the daemon notes when something happens to a slot.

use std::path::Path;
use std::sync::Arc;

use worker_core::{DownCause, Event, RunId, SlotView, SpawnFailure};

use super::EventHub;
use super::deaths;
use super::folders;
use super::host::SlotHost;
use super::record::Intent;
use super::registry::{Entry, Registry};
use crate::driver::Notice;
use crate::processes;
use crate::run::why;

/// Hears of every event, and keeps what has to be kept.
pub(super) struct Observer {
    pub(super) state_dir: Arc<Path>,
    pub(super) events: Arc<EventHub>,
    pub(super) host: SlotHost,
}

impl Observer {
    /// Takes an event in. `view`: the slot after it, none at rest.
    pub(super) fn hear(&self, registry: &mut Registry, notice: &Notice, view: Option<&SlotView>) {
        let id = notice.slot;
        let closing = registry.is_closing;
        let entry = registry.entry_mut(id);
        self.events.add(&entry.name, notice);
        self.note(entry, notice, view);
        self.note_death(entry, notice);
        if notice.event == Event::Stopped {
            entry.rests();
            if view.is_none() && !closing {
                entry.record.intent = Intent::Rest;
            }
        }
        registry.save(id);
        if let (Event::Spawned { .. }, Some(view)) = (notice.event, view) {
            registry.drop_launches(id, view.launch);
        }
    }

    fn note(&self, entry: &mut Entry, notice: &Notice, view: Option<&SlotView>) {
        let record = &mut entry.record;
        record.run = record.run.max(notice.run.map_or(0, |run| run.number));
        record.past = view.map(|view| view.past).unwrap_or_default();
        match notice.event {
            Event::Starting => entry.stopping = None,
            Event::Spawned { .. } => {
                entry.pid = notice.pid;
                entry.record.lives = true;
            }
            Event::TreeGone { .. } => {
                entry.pid = None;
                entry.record.lives = false;
            }
            Event::Stopping(reason) => entry.stopping = Some(reason),
            Event::Restarting { cause, .. } | Event::Error(cause) => {
                if let Event::Error(_) = notice.event {
                    // It is not tried again by itself, not by the next daemon either.
                    entry.record.intent = Intent::Rest;
                }
                let cause = self.cause(notice, cause);
                entry.error = Some(match entry.dying.last_word() {
                    Some(word) => format!("{cause}; its last output: {word}"),
                    None => cause,
                });
            }
            Event::Failed(parked) => entry.error = Some(parked.to_string()),
            Event::Unkillable => entry.error = Some(self.survivors(notice.run.map(|run| run.run))),
            Event::Ready { .. } | Event::Exited { .. } | Event::Stopped | Event::Reset => {}
        }
    }

    fn cause(&self, notice: &Notice, cause: DownCause) -> String {
        if cause == DownCause::SpawnFailed(SpawnFailure::NoPorts) {
            return format!("no free block of ports: {}", self.host.ports().holders());
        }
        why(notice, cause)
    }

    fn survivors(&self, run: Option<RunId>) -> String {
        let members = run.map(|run| self.host.members(run)).unwrap_or_default();
        let named: Vec<String> = members.into_iter().map(processes::describe).collect();
        format!("still there, long after SIGKILL: {}", named.join(", "))
    }

    fn note_death(&self, entry: &mut Entry, notice: &Notice) {
        let Some(death) = entry.dying.hear(notice, entry.stopping) else { return };
        let folder = folders::slot(&self.state_dir, &entry.name);
        if let Err(error) = deaths::add(&folder, &death) {
            tracing::warn!("why {} ended cannot be noted: {error}", entry.name);
        }
    }
}
