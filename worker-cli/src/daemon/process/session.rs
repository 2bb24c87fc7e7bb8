//! A daemon that is set up.

use std::path::PathBuf;

use worker_core::UNKILLABLE_AFTER;
use worker_platform_unix::UnixPlatform;

use super::ending::Ending;
use super::report::Report;
use crate::daemon::http::{Listener, Server};
use crate::daemon::{Daemon, Lock};
use crate::error::Failure;
use crate::guardian::Guardian;
use crate::signals::{Signals, Source, Stops};
use crate::voice::Voice;

/// All that a daemon has.
pub(super) struct Session {
    pub(super) daemon: Daemon,
    pub(super) platform: UnixPlatform,
    pub(super) server: Server,
    pub(super) listener: Listener,
    pub(super) socket: PathBuf,
    pub(super) guardian: Guardian,
    pub(super) signals: Signals,
    pub(super) voice: Voice,
    /// Let go of last.
    pub(super) lock: Lock,
}

impl Session {
    /// Goes on with what the daemon before ran, and serves until it is ended.
    pub(super) async fn run(mut self, report: &mut Report) -> Result<(), Failure> {
        self.daemon.resume();
        self.guardian.tell_ready();
        report.ready();
        self.voice.say(&format!("listening at {}", self.socket.display()));
        self.serve().await;
        self.guardian.tell_stopping();
        self.server.close(self.listener).await;
        wind_up(&self.platform, &self.guardian).await;
        if !self.daemon.finish_writing().await {
            self.voice.warn("not all that is known of slots could be written: some is forgotten");
        }
        drop(self.lock);
        Ok(())
    }

    async fn serve(&mut self) {
        let mut ending = Ending {
            daemon: self.daemon.clone(),
            closing: self.server.closing(),
            stops: Stops::default(),
            voice: self.voice.clone(),
        };
        loop {
            let ends = tokio::select! {
                () = self.server.serve(&self.listener) => return,
                word = self.guardian.next() => ending.heed(word),
                caught = self.signals.next() => ending.obey(caught, Source::Own),
            };
            if ends {
                self.guardian.tell_stopping();
            }
        }
    }
}

/// What is left of no run, and of the process itself.
async fn wind_up(platform: &UnixPlatform, guardian: &Guardian) {
    // What is left then cannot be killed, and keeps nobody waiting.
    drop(tokio::time::timeout(UNKILLABLE_AFTER, platform.end_unattributed()).await);
    platform.end_journal();
    if platform.has_released() {
        guardian.tell_released();
    }
}
