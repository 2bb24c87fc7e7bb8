//! What ends a daemon from outside: signals, and the loss of its guardian.

use worker_core::{Signal, Urgency};

use crate::daemon::Daemon;
use crate::daemon::http::Closing;
use crate::guardian::Word;
use crate::signals::{Caught, Source, Stops};
use crate::voice::Voice;

/// Ends the daemon when it is told to.
pub(super) struct Ending {
    pub(super) daemon: Daemon,
    pub(super) closing: Closing,
    pub(super) stops: Stops,
    pub(super) voice: Voice,
}

impl Ending {
    /// What the guardian says. Answers whether that ends the daemon.
    pub(super) fn heed(&mut self, word: Word) -> bool {
        match word {
            Word::Signal(signal) => {
                Caught::by(signal).is_some_and(|caught| self.obey(caught, Source::Guardian))
            }
            Word::Gone => {
                self.voice.warn("its guardian process is gone: stopping in order");
                self.close(Urgency::Orderly);
                true
            }
        }
    }

    /// A signal. Answers whether it ends the daemon.
    pub(super) fn obey(&mut self, caught: Caught, source: Source) -> bool {
        match caught {
            Caught::Stop(signal) => {
                if let Some(urgency) = self.stops.ask(source) {
                    self.voice.say(&stopping(signal, urgency));
                    self.close(urgency);
                }
                true
            }
            // The slots are not the job of one terminal: signals to that are not for them.
            Caught::Forward(_) | Caught::Pause | Caught::Resume => false,
        }
    }

    fn close(&self, urgency: Urgency) {
        let (daemon, closing) = (self.daemon.clone(), self.closing.clone());
        tokio::spawn(async move {
            daemon.close(urgency).await;
            closing.ask();
        });
    }
}

fn stopping(signal: Signal, urgency: Urgency) -> String {
    match urgency {
        Urgency::Orderly => {
            format!("{signal}: stopping all slots; a second signal ends their grace at once")
        }
        Urgency::Immediate => format!("{signal}: ending all slots at once"),
    }
}
