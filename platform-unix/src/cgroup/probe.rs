//! Tries all that will be relied on, once, with a process that is in nobody's way.

use std::io;
use std::time::Duration;

use rustix::process::Signal;

use super::group::Group;
use crate::Pid;
use crate::reaper::signal_child;
use crate::shim::{Outcome, Shim};
use crate::wait;

/// How long each step may take. Longer, and something other than us is amiss.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes a leaf, has a process enter it, kills it, and removes the leaf.
///
/// # Errors
///
/// What did not work, for a person.
pub(super) fn probe(folder: &Group, shim: &Shim) -> Result<(), String> {
    let leaf = Group::at(folder.path().join("probe"));
    std::fs::create_dir_all(leaf.path()).map_err(|error| failed("no leaf can be made", &error))?;
    let works = Helper::start(shim, &leaf).and_then(|helper| helper.try_out(&leaf));
    let removed = leaf.remove().map_err(|error| failed("its leaf cannot be removed", &error));
    works.and(removed)
}

/// A process that has entered the leaf and waits to be killed.
struct Helper {
    pid: Pid,
    /// Where it looks whether we live. At its end it ends by itself.
    _life: io::PipeWriter,
    outcome: Option<Outcome>,
}

impl Helper {
    fn start(shim: &Shim, leaf: &Group) -> Result<Self, String> {
        let none = |error: io::Error| failed("its process cannot be started", &error);
        let (theirs, life) = io::pipe().map_err(none)?;
        let (pid, report) = shim.spawn_waiting(leaf, theirs).map_err(none)?;
        Ok(Self { pid, _life: life, outcome: report.outcome_within(PATIENCE) })
    }

    fn try_out(self, leaf: &Group) -> Result<(), String> {
        let outcome = self.outcome.as_ref();
        let outcome = outcome.ok_or("a try came to nothing: the shim did not answer")?;
        if let Some(error) = &outcome.not_entered {
            return Err(failed("its process may not enter a leaf", error));
        }
        if !leaf.processes().contains(&self.pid) {
            return Err("a try came to nothing: the shim entered no leaf".to_owned());
        }
        leaf.kill().map_err(|error| failed("a leaf cannot be killed", &error))?;
        if !leaf.is_empty_within(PATIENCE) {
            return Err(
                "a try came to nothing: a leaf that was killed did not get empty".to_owned()
            );
        }
        Ok(())
    }
}

/// Whatever came of it, the process is gone.
impl Drop for Helper {
    fn drop(&mut self) {
        signal_child(self.pid, &[Signal::KILL]);
        wait::reap_soon(self.pid);
    }
}

fn failed(what: &str, error: &io::Error) -> String {
    format!("a try came to nothing: {what}: {error}")
}
