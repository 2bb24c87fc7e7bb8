//! The ways into a driver's inbox.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};
use worker_core::{Ask, Input, Instant, Outcome, Report, SlotId, SlotView, Urgency};

use super::host::RunKey;

/// What the inbox holds.
///
/// It has no bound: whoever fills it waits for a fact of the operating system or for the answer to
/// the message before.
#[derive(Debug)]
pub(super) enum Message {
    Ask { slot: SlotId, ask: Ask, reply: oneshot::Sender<Outcome> },
    Shutdown { urgency: Urgency, reply: oneshot::Sender<Outcome> },
    Report { run: RunKey, report: Report },
    Spawned { run: RunKey, pid: i32 },
    SpawnFailed { run: RunKey, error: worker_core::SpawnError },
    Look { reply: oneshot::Sender<Views> },
    LookAt { slot: SlotId, reply: oneshot::Sender<Option<SlotView>> },
}

/// All slots that are not at rest, at one moment.
#[derive(Clone, Debug)]
pub struct Views {
    /// The moment.
    pub now: Instant,
    /// The slots.
    pub slots: BTreeMap<SlotId, SlotView>,
}

/// Asks things of a driver. Clones speak to the same one.
#[derive(Clone, Debug)]
pub struct Handle {
    inbox: mpsc::UnboundedSender<Message>,
}

/// The answer to a question: resolves to none if the driver was dropped before it answered.
pub type Answer = oneshot::Receiver<Outcome>;

impl Handle {
    pub(super) fn new(inbox: mpsc::UnboundedSender<Message>) -> Self {
        Self { inbox }
    }

    /// Asks something of a slot.
    #[must_use]
    pub fn ask(&self, slot: SlotId, ask: Ask) -> Answer {
        self.send(|reply| Message::Ask { slot, ask, reply })
    }

    /// Shuts everything down, for good.
    #[must_use]
    pub fn shutdown(&self, urgency: Urgency) -> Answer {
        self.send(|reply| Message::Shutdown { urgency, reply })
    }

    /// Looks at all slots. None if the driver is gone.
    pub async fn look(&self) -> Option<Views> {
        let (reply, views) = oneshot::channel();
        // A driver that is gone drops the message, and with it the reply.
        let _ = self.inbox.send(Message::Look { reply });
        views.await.ok()
    }

    /// Looks at one slot, which costs the same however many there are. None if it is at rest, or if
    /// the driver is gone.
    pub async fn look_at(&self, slot: SlotId) -> Option<SlotView> {
        let (reply, view) = oneshot::channel();
        // As above.
        let _ = self.inbox.send(Message::LookAt { slot, reply });
        view.await.ok().flatten()
    }

    /// A reporter for this run.
    #[must_use]
    pub(super) fn reporter(&self, run: RunKey) -> Reporter {
        Reporter { inbox: self.inbox.clone(), run }
    }

    fn send(&self, message: impl FnOnce(oneshot::Sender<Outcome>) -> Message) -> Answer {
        let (reply, answer) = oneshot::channel();
        // A driver that is gone drops the message, and with it the reply: the answer says so.
        let _ = self.inbox.send(message(reply));
        answer
    }
}

/// Tells a driver what happens to one run.
#[derive(Clone, Debug)]
pub struct Reporter {
    inbox: mpsc::UnboundedSender<Message>,
    run: RunKey,
}

impl Reporter {
    /// Says that this happened, just now.
    pub fn report(&self, report: Report) {
        self.send(Message::Report { run: self.run, report });
    }

    pub(super) fn spawned(&self, pid: i32) {
        self.send(Message::Spawned { run: self.run, pid });
    }

    pub(super) fn spawn_failed(&self, error: worker_core::SpawnError) {
        self.send(Message::SpawnFailed { run: self.run, error });
    }

    fn send(&self, message: Message) {
        // A driver that is gone needs no reports.
        let _ = self.inbox.send(message);
    }
}

impl Message {
    /// The input that a report is.
    pub(super) fn report(run: RunKey, report: Report) -> Input {
        Input::Report { slot: run.slot, run: run.run, report }
    }
}
