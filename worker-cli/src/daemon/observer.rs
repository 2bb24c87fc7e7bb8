//! What the daemon notes when something happens to a slot.

use std::path::Path;
use std::sync::Arc;

use worker_core::{DownCause, Event, RunId, SlotView, SpawnFailure, StopReason};

use super::EventHub;
use super::deaths;
use super::disk::Disk;
use super::host::SlotHost;
use super::port_holder;
use super::record::{Intent, Record};
use super::registry::{Entry, Registry, Trouble};
use crate::driver::Notice;
use crate::processes;
use crate::run::why;

/// Hears of every event, and keeps what has to be kept.
pub(super) struct Observer {
    pub(super) state_dir: Arc<Path>,
    pub(super) disk: Disk,
    pub(super) events: Arc<EventHub>,
    pub(super) host: SlotHost,
}

impl Observer {
    /// Takes an event in. `view`: the slot after it, none at rest.
    pub(super) fn hear(&self, registry: &mut Registry, notice: &Notice, view: Option<&SlotView>) {
        let id = notice.slot;
        let closing = registry.is_closing;
        let why = self.why(registry, notice);
        if let (Event::Starting, Some(view)) = (notice.event, view) {
            registry.take_up(id, view.launch);
        }
        self.events.add(&registry.entry(id).name, notice);
        registry.change(id, |entry| {
            entry.block = view.and_then(|view| view.block);
            self.note_death(entry, notice, why.as_ref());
            self.note(entry, notice, why);
            if notice.event == Event::Stopped {
                entry.rests();
            }
            if view.is_some() || !closing {
                entry.record.past = view.map(|view| view.past).unwrap_or_default();
            }
            if !closing {
                note_intent(&mut entry.record, notice.event, view);
            }
        });
        if let (Event::Spawned { .. }, Some(view)) = (notice.event, view) {
            registry.drop_launches(id, view.launch);
        }
    }

    /// The end of a run in words, if this is one that went wrong.
    fn why(&self, registry: &Registry, notice: &Notice) -> Option<Trouble> {
        let (Event::Restarting { cause, .. } | Event::Error(cause)) = notice.event else {
            return None;
        };
        let entry = registry.entry(notice.slot);
        let why = match (cause, entry.fixed_ports()) {
            (DownCause::SpawnFailed(SpawnFailure::NoPorts), Some(block)) => {
                port_holder::in_words(registry, notice.slot, block)
            }
            (DownCause::SpawnFailed(SpawnFailure::NoPorts), None) => {
                let holders = self.host.ports().holders();
                format!("no free block of ports: {holders}: stop what you do not need")
            }
            _ => why(notice, cause),
        };
        Some(Trouble { cause: Some(cause), words: why })
    }

    fn note(&self, entry: &mut Entry, notice: &Notice, why: Option<Trouble>) {
        let record = &mut entry.record;
        record.run = record.run.max(notice.run.map_or(0, |run| run.number));
        match notice.event {
            Event::Starting => {
                entry.stopping = None;
                entry.preparing = None;
            }
            Event::Spawned { .. } => {
                entry.pid = notice.pid;
                entry.record.lives = true;
            }
            Event::TreeGone { .. } => {
                entry.pid = None;
                entry.record.lives = false;
            }
            Event::Stopping(reason) => entry.stopping = Some(reason),
            Event::Restarting { .. } | Event::Error(_) => {
                entry.trouble = why.map(|why| why.with(entry.dying.last_word()).into());
            }
            Event::Failed(parked) => {
                entry.trouble = Some(Trouble { cause: None, words: parked.to_string() }.into());
            }
            Event::Unkillable => {
                let words = self.survivors(notice.run.map(|run| run.run));
                entry.trouble = Some(Trouble { cause: None, words }.into());
            }
            Event::Ready { .. } | Event::Exited { .. } | Event::Stopped | Event::Reset => {}
        }
    }

    fn survivors(&self, run: Option<RunId>) -> String {
        let members = run.map(|run| self.host.members(run)).unwrap_or_default();
        let named: Vec<String> = members.into_iter().map(processes::describe).collect();
        format!("still there, long after SIGKILL: {}", named.join(", "))
    }

    fn note_death(&self, entry: &mut Entry, notice: &Notice, why: Option<&Trouble>) {
        let why = why.map(|why| why.words.as_str());
        let Some(death) = entry.dying.hear(notice, why, entry.stopping) else { return };
        deaths::keep(&self.disk, &self.state_dir, &entry.name, &death);
    }
}

/// What is to become of the slot under the next daemon. What is only stopped with this one goes on.
fn note_intent(record: &mut Record, event: Event, view: Option<&SlotView>) {
    match event {
        Event::Starting => record.intent = Intent::Up,
        // It is not tried again by itself, not by the next daemon either.
        Event::Error(_) | Event::Stopping(StopReason::Request) => record.intent = Intent::Rest,
        Event::Stopped if view.is_none() => record.intent = Intent::Rest,
        Event::Spawned { .. }
        | Event::Ready { .. }
        | Event::Exited { .. }
        | Event::TreeGone { .. }
        | Event::Restarting { .. }
        | Event::Failed(_)
        | Event::Stopping(_)
        | Event::Stopped
        | Event::Reset
        | Event::Unkillable => {}
    }
}
