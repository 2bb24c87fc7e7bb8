//! The journal of this supervisor, and what those before it left behind.

use std::path::{Path, PathBuf};

use worker_platform_unix::Pid;
use worker_platform_unix::journal::{self, Finding, Journal, Start, start};

use crate::error::{Code, Failure};
use crate::processes;
use crate::state_dir::StateArgs;
use crate::voice::Voice;

/// The folder of the journals in a state folder.
#[must_use]
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("journal")
}

/// Ends what dead supervisors of this user left behind, says so, and begins a journal. None where
/// there can be none, which is said and stops nothing, and as PID 1, behind which the kernel ends
/// everything by itself.
#[must_use]
pub fn begin(state: &StateArgs, voice: &Voice) -> Option<Journal> {
    if std::process::id() == 1 {
        return None;
    }
    let Some(state_dir) = state.folder() else {
        voice.warn(&unkept("there is no home folder, and no --state-dir"));
        return None;
    };
    let folder = folder(&state_dir);
    let started = start(&folder).map_err(|error| format!("{}: {error}", folder.display()));
    let own = started.and_then(|Start { findings, journal }| {
        findings.iter().for_each(|finding| voice.warn(&in_words(finding)));
        journal.map_err(|error| format!("{}: {error}", folder.display()))
    });
    own.inspect_err(|why| voice.warn(&unkept(why))).ok()
}

/// Ends what dead supervisors of this user left behind, for a verb that starts nothing. Answers what
/// there is to say.
///
/// # Errors
///
/// [`Failure`] names what cannot be ended, or why it cannot be looked for.
pub fn end_left_behind(state_dir: &Path) -> Result<Vec<String>, Failure> {
    let folder = folder(state_dir);
    let findings = journal::end_left_behind(&folder).map_err(|error| {
        let message = "what killed supervisors left behind cannot be looked for";
        Failure::new(Code::Failed, format!("{message}: {}: {error}", folder.display()))
    })?;
    match findings.iter().find(|finding| is_alive(finding)) {
        Some(alive) => Err(Failure::new(Code::Unkillable, in_words(alive))),
        None => Ok(findings.iter().map(in_words).collect()),
    }
}

fn is_alive(finding: &Finding) -> bool {
    matches!(finding, Finding::Ended { survivors, .. } if !survivors.is_empty())
}

fn unkept(why: &str) -> String {
    format!(
        "no journal is kept ({why}): if worker and its guardian are both killed, the next start \
         does not find what is left"
    )
}

fn in_words(finding: &Finding) -> String {
    match finding {
        Finding::Ended { supervisor, killed, survivors } if survivors.is_empty() => {
            let noun = processes::count(*killed);
            format!("ended {noun} that a killed supervisor (pid {supervisor}) had left behind")
        }
        Finding::Ended { supervisor, survivors, .. } => {
            let noun = processes::count(survivors.len());
            let named: Vec<_> = survivors.iter().map(|&pid| processes::describe(pid)).collect();
            format!(
                "a killed supervisor (pid {supervisor}) left {noun} behind that cannot be ended: {}",
                named.join(", ")
            )
        }
        Finding::AboveUs { supervisor } => above_us(*supervisor),
        Finding::PutAside { path, newer } => {
            let what = if *newer { "written by a newer version" } else { "damaged" };
            format!(
                "the journal of a killed supervisor is {what}: it was kept as {}, and what it alone \
                 could tell is not looked for",
                path.display()
            )
        }
        Finding::Failed { path, error } => {
            format!("the journal {} cannot be looked at: {error}", path.display())
        }
    }
}

fn above_us(supervisor: Pid) -> String {
    format!(
        "a killed supervisor (pid {supervisor}) left processes behind, and this is one of them: they \
         are left alone; a start that is not below them ends them"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_is_not_several() {
        let ended = |killed| in_words(&Finding::Ended { supervisor: 7, killed, survivors: vec![] });
        assert_eq!(ended(1), "ended 1 process that a killed supervisor (pid 7) had left behind");
        assert!(ended(2).starts_with("ended 2 processes that"));
    }

    #[test]
    fn what_cannot_be_ended_is_named() {
        let survivors = vec![i32::MAX];
        let said = in_words(&Finding::Ended { supervisor: 7, killed: 3, survivors });
        assert_eq!(
            said,
            "a killed supervisor (pid 7) left 1 process behind that cannot be ended: pid 2147483647"
        );
    }
}
