//! A look at the journals that changes nothing.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::look::{Dead, look};
use super::sweep::{Verdict, judge};
use crate::Pid;

/// What is in a folder of journals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many supervisors live.
    pub live: usize,
    /// What dead ones left behind; the next start ends it.
    pub left: Vec<Left>,
    /// Files that could not be understood, and were given another name.
    pub put_aside: Vec<PathBuf>,
}

/// What a dead supervisor left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its process id.
    pub supervisor: Pid,
    /// The processes.
    pub processes: Vec<Pid>,
}

/// Looks at the journals in a folder, and at what is left behind. Ends nothing, removes nothing.
/// Nothing is in a folder that does not exist.
///
/// # Errors
///
/// If the folder cannot be used.
pub fn survey(folder: &Path) -> io::Result<Survey> {
    if !folder.try_exists()? {
        return Ok(Survey::default());
    }
    let folder = Folder::open(folder)?;
    let mut survey = Survey { put_aside: folder.put_aside()?, ..Survey::default() };
    let mut dead = Vec::new();
    for path in folder.journals()? {
        match judge(&path)? {
            Verdict::Leave => survey.live += 1,
            Verdict::Hunt(journal) => dead.push(journal.dead),
            Verdict::Remove | Verdict::PutAside { .. } => {}
        }
    }
    survey.left = left(&dead);
    Ok(survey)
}

fn left(dead: &[Dead]) -> Vec<Left> {
    if dead.is_empty() {
        return Vec::new(); // To look at all processes costs something.
    }
    let (found, _) = look(dead, &HashMap::new());
    let of = |index| found.iter().filter(move |leftover| leftover.of == index);
    let left = dead.iter().enumerate().map(|(index, dead)| Left {
        supervisor: dead.id.pid,
        processes: of(index).map(|leftover| leftover.process.pid).collect(),
    });
    left.filter(|left| !left.processes.is_empty()).collect()
}
