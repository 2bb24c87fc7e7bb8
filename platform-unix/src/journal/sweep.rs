//! The start of a supervisor: what dead ones left is ended, then its own journal begins.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::folder::{self, Folder, Found};
use super::format::{self, Header, Reading};
use super::hunt::{self, Bag};
use super::keeper::Journal;
use super::look::Dead;
use crate::Pid;
use crate::os;
use crate::supervisor_id::SupervisorId;

/// How long after the first signal leftovers may take to be gone.
const UNKILLABLE: Duration = Duration::from_secs(10);

/// More is no journal: it would have an entry for each of 65,000 processes.
const LARGEST: u64 = 4 << 20;

/// How a supervisor starts.
#[derive(Debug)]
pub struct Start {
    /// What there is to say about those before it. Nothing about journals behind which nothing was
    /// left.
    pub findings: Vec<Finding>,
    /// Its own journal. Supervision can go on without.
    pub journal: io::Result<Journal>,
}

/// Something that was found at a start.
#[derive(Debug)]
pub enum Finding {
    /// A dead supervisor had left processes behind, and they were ended.
    Ended {
        /// The supervisor's process id.
        supervisor: Pid,
        /// How many processes were ended.
        killed: usize,
        /// Those that live all the same. The next start tries again.
        survivors: Vec<Pid>,
    },
    /// This process is itself in the tree that a dead supervisor left behind, so that tree was left
    /// alone.
    AboveUs {
        /// The supervisor's process id.
        supervisor: Pid,
    },
    /// A journal, or part of it, could not be understood. It was given another name.
    PutAside {
        /// Where it is now.
        path: PathBuf,
        /// Whether a later version of this program wrote it.
        newer: bool,
    },
    /// A journal could not be looked at.
    Failed {
        /// Where it is.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Ends what dead supervisors left behind, then begins a journal of this process. Waits while
/// another start does the same in this folder, which is made if it is missing.
///
/// # Errors
///
/// If the folder cannot be used: then nothing was looked for, and there is no journal.
pub fn start(folder: &Path) -> io::Result<Start> {
    let folder = open(folder)?;
    let findings = sweep(&folder)?;
    Ok(Start { findings, journal: Journal::begin(&folder) })
}

/// Ends what dead supervisors left behind, as [`start`] does, for those who supervise nothing.
///
/// # Errors
///
/// As [`start`].
pub fn end_left_behind(folder: &Path) -> io::Result<Vec<Finding>> {
    sweep(&open(folder)?)
}

fn open(folder: &Path) -> io::Result<Folder> {
    if !os::can_look() {
        let message = "processes cannot be looked at: /proc is missing, or another namespace's";
        return Err(io::Error::other(message));
    }
    Folder::open_or_make(folder)
}

/// A journal that nobody keeps any more. The lock is held until it is dealt with.
pub(super) struct LeftJournal {
    path: PathBuf,
    pub(super) dead: Dead,
    unreadable: usize,
    _lock: File,
}

/// What is to be done with a journal.
pub(super) enum Verdict {
    /// Nothing: its supervisor lives, or its processes cannot be seen from here.
    Leave,
    /// Nothing can be left behind it.
    Remove,
    /// It cannot be understood.
    PutAside {
        /// A later version wrote it.
        newer: bool,
    },
    /// To look for what is left.
    Hunt(LeftJournal),
}

fn sweep(folder: &Folder) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut left = Vec::new();
    for path in folder.journals()? {
        match judge(&path) {
            Ok(Verdict::Leave) => {}
            Ok(Verdict::Remove) => findings.extend(remove(&path)),
            Ok(Verdict::PutAside { newer }) => findings.push(put_aside(&path, newer)),
            Ok(Verdict::Hunt(journal)) => left.push(journal),
            Err(error) => findings.push(Finding::Failed { path, error }),
        }
    }
    if !left.is_empty() {
        findings.extend(hunt(left));
    }
    Ok(findings)
}

/// Looks at a journal and changes nothing.
pub(super) fn judge(path: &Path) -> io::Result<Verdict> {
    let file = match folder::find(path)? {
        Found::Left(file) => file,
        Found::Kept(file) => match when_let_go(file)? {
            Some(file) => file,
            None => return Ok(Verdict::Leave),
        },
    };
    Ok(match read(&file)? {
        // Its supervisor was killed before it could spawn anything.
        Reading::Empty => Verdict::Remove,
        Reading::Newer => Verdict::PutAside { newer: true },
        Reading::Damaged => Verdict::PutAside { newer: false },
        Reading::Journal { header, .. } if header.supervisor.boot != os::boot_id() => {
            Verdict::Remove // Its processes went with their boot.
        }
        Reading::Journal { header, .. } if header.namespace != os::pid_namespace() => {
            Verdict::Leave
        }
        Reading::Journal { header: Header { supervisor, .. }, entries, unreadable } => {
            let dead = Dead::new(supervisor, &entries);
            Verdict::Hunt(LeftJournal { path: path.to_owned(), dead, unreadable, _lock: file })
        }
    })
}

/// The journal of a supervisor that is a zombie already, once that has let go of it: some of its
/// threads may be about to end. None if the supervisor lives.
fn when_let_go(file: File) -> io::Result<Option<File>> {
    let Reading::Journal { header, .. } = read(&file)? else { return Ok(None) };
    let SupervisorId { boot, pid, start } = header.supervisor;
    let is_here = boot == os::boot_id() && header.namespace == os::pid_namespace();
    match os::process(pid).filter(|process| is_here && process.start == start) {
        Some(process) if process.alive => Ok(None),
        Some(_) => folder::lock_patiently(file).map(Some),
        // Here it may have gone since the lock was tried.
        None => Ok(file.try_lock().is_ok().then_some(file)),
    }
}

fn read(mut file: &File) -> io::Result<Reading> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(format::read(&bytes))
}

fn hunt(left: Vec<LeftJournal>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (dead, rest): (Vec<_>, Vec<_>) = left
        .into_iter()
        .map(|LeftJournal { path, dead, unreadable, _lock }| (dead, (path, unreadable, _lock)))
        .unzip();
    let bags = hunt::end(&dead, Instant::now() + UNKILLABLE);
    for ((dead, (path, unreadable, _lock)), bag) in dead.iter().zip(rest).zip(bags) {
        let nothing_left = bag.survivors.is_empty() && !bag.above_us;
        findings.extend(tell(dead.id.pid, bag));
        if unreadable > 0 && nothing_left {
            findings.push(put_aside(&path, false));
        } else if nothing_left {
            findings.extend(remove(&path));
        }
    }
    findings
}

fn tell(supervisor: Pid, bag: Bag) -> Option<Finding> {
    let Bag { killed, survivors, above_us } = bag;
    if above_us {
        return Some(Finding::AboveUs { supervisor });
    }
    let any = killed > 0 || !survivors.is_empty();
    any.then_some(Finding::Ended { supervisor, killed, survivors })
}

fn remove(path: &Path) -> Option<Finding> {
    let error = fs::remove_file(path).err()?;
    Some(Finding::Failed { path: path.to_owned(), error })
}

fn put_aside(path: &Path, newer: bool) -> Finding {
    match folder::put_aside(path, if newer { "newer" } else { "damaged" }) {
        Ok(path) => Finding::PutAside { path, newer },
        Err(error) => Finding::Failed { path: path.to_owned(), error },
    }
}
