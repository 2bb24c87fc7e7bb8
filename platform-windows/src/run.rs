//! A run, which on Windows is its leader.

use std::os::windows::io::OwnedHandle;
use std::sync::Arc;

use tokio::sync::watch;
use worker_core::{Exit, Signal, TreeEnd};

use crate::exit_watch::ExitWatch;
use crate::process;

/// A leader that was spawned, alive or not.
#[derive(Debug)]
pub(crate) struct Run {
    pid: u32,
    /// Keeps the process id from being reused.
    process: Arc<OwnedHandle>,
    watch: ExitWatch,
    /// Whether the run is over as soon as its leader is gone.
    is_ending: watch::Sender<bool>,
}

impl Run {
    pub(crate) fn new(pid: u32, process: Arc<OwnedHandle>, watch: ExitWatch) -> Self {
        Self { pid, process, watch, is_ending: watch::Sender::new(false) }
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// How the leader ended, once it has.
    pub(crate) async fn exit(&self) -> Exit {
        self.watch.exit().await
    }

    /// Resolves when the run is being ended and its leader is gone.
    pub(crate) async fn end(&self) -> TreeEnd {
        let exit = self.exit().await;
        // Fails if the sender is gone, and that is ours.
        let _ = self.is_ending.subscribe().wait_for(|is_ending| *is_ending).await;
        TreeEnd { killed: u32::from(exit == Exit::Signal(Signal::Kill)), left: 0 }
    }

    /// From here on the run is over as soon as its leader is gone.
    pub(crate) fn begin_end(&self) {
        self.is_ending.send_replace(true);
    }

    /// Asks the leader to end, if it shares our console.
    pub(crate) fn ask_to_end(&self) {
        process::send_ctrl_break(self.pid);
        self.begin_end();
    }

    /// Ends the leader, unless it ended by itself.
    pub(crate) fn terminate(&self) {
        process::terminate(&self.process);
        self.begin_end();
    }
}
