//! What is asked of a daemon with many slots.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Command;

use rustix::process::Pid;
use worker_cli::api::{StopRequest, UpRequest};

use crate::daemon::{Daemon, PROJECT, STATE};

impl Daemon {
    /// Starts its slots, and waits until all are ready.
    pub(crate) fn up(&self) -> io::Result<()> {
        let env = std::env::vars().collect::<BTreeMap<_, _>>();
        let request = UpRequest { config: self.file(), env: Some(env), no_wait: false };
        let up = self.ask(async |client| client.up(PROJECT, &request).await)?;
        match up.slots.into_iter().find_map(|slot| slot.error) {
            Some(error) => Err(io::Error::other(error.message)),
            None => Ok(()),
        }
    }

    /// Stops its slots, and waits until nothing is left of them.
    pub(crate) fn down(&self) -> io::Result<()> {
        self.ask(async |client| client.down(PROJECT, StopRequest::default()).await).map(drop)
    }

    /// `worker WORDS`, in the folder of the project.
    pub(crate) fn worker(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.args(words).arg("--state-dir").arg(self.folder().join(STATE));
        command.current_dir(self.folder());
        command
    }

    /// The process that has the slots.
    pub(crate) fn pid(&self) -> io::Result<i32> {
        let guardian = self.guardian();
        let children = fs::read_to_string(format!("/proc/{guardian}/task/{guardian}/children"))?;
        children.trim().parse().map_err(io::Error::other)
    }

    /// Its parent.
    pub(crate) fn guardian(&self) -> i32 {
        Pid::from_child(&self.guardian).as_raw_nonzero().get()
    }
}
