//! The process of one cell: grows the tree, brings it to its end, and counts what is left.
//!
//! It adopts orphans, so whatever is left of a tree is below it, and nothing else is.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, set_child_subreaper};

use super::cannot::Survivors;
use super::cell::{Cell, Tier};
use super::ending::bring_to_end;
use super::ground::{Ground, hand_over};
use super::launch::Started;
use super::look::{self, Process, keep_reaping, send};

/// Far longer than anything here takes; only a cell that fails waits for so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The line that tells how many are left, and to how many of them nothing led.
pub(super) const SURVIVORS: &str = "survivors ";

/// Where a cell lives.
pub(super) struct Keeper<'a> {
    pub(super) cell: Cell,
    pub(super) ground: &'a Ground,
    pub(super) cgroup: Option<PathBuf>,
    pub(super) home: PathBuf,
    pub(super) folder: PathBuf,
    /// Which of the ways to its end is taken.
    pub(super) way: usize,
    /// Longer than the tree takes to be complete.
    pub(super) ready_timeout: u64,
}

/// Why a cell has no number.
pub(super) enum Trouble {
    /// The ready timeout came before the tree was complete.
    TooSlow,
    Failed(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// Prints how many survived, or what went wrong, and leaves no process behind.
pub(super) fn keep(cell: Cell, ground: &Ground) -> ExitCode {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        println!("orphans cannot be adopted: {error}");
        return ExitCode::FAILURE;
    }
    keep_reaping();
    end_with_runner();
    let found = Keeper::prepare(cell, ground).and_then(|mut keeper| {
        let found = keeper.find_in_all_ways();
        end_all();
        keeper.remove_folders();
        found
    });
    match found {
        Ok(Survivors { all, untraceable }) => println!("{SURVIVORS}{all} {untraceable}"),
        Err(why) => println!("{}", why.replace('\n', " ")),
    }
    ExitCode::SUCCESS
}

impl<'a> Keeper<'a> {
    fn prepare(cell: Cell, ground: &'a Ground) -> Result<Self, String> {
        let folder = ground.folder().join(std::process::id().to_string());
        let home = folder.join("home");
        fs::create_dir(&folder)
            .and_then(|()| fs::create_dir(&home))
            .and_then(|()| hand_over(&home, cell.place.user))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let has_cgroup = cell.place.tier == Tier::Cgroup;
        let cgroup = has_cgroup.then(|| ground.make_cgroup(cell.place.user)).transpose()?;
        let ready_timeout = if cell.specimen.says_up > 100 { 4 } else { 1 };
        Ok(Self { cell, ground, cgroup, home, folder, way: 0, ready_timeout })
    }

    fn find_in_all_ways(&mut self) -> Result<Survivors, String> {
        let mut survivors = Survivors::default();
        for way in 0..self.cell.end.ways() {
            self.way = way;
            let found = self.find()?;
            if found.all == 0 {
                self.check_tidy()?;
            }
            end_all();
            survivors += found;
        }
        Ok(survivors)
    }

    /// With more time where it turns out to be too short.
    fn find(&mut self) -> Result<Survivors, String> {
        loop {
            match bring_to_end(self) {
                Ok(survivors) => return Ok(survivors),
                Err(Trouble::Failed(why)) => return Err(why),
                Err(Trouble::TooSlow) if self.ready_timeout > PATIENCE.as_secs() => {
                    return Err("the tree was never complete".to_owned());
                }
                Err(Trouble::TooSlow) => self.ready_timeout *= 2,
            }
            end_all();
        }
    }

    /// After everything has ended, nothing at all is left.
    fn check_tidy(&self) -> Result<(), String> {
        if patiently(|| look::descendants().is_empty().then_some(())).is_none() {
            let left: Vec<_> = look::descendants().iter().map(Process::describe).collect();
            return Err(format!("left in the end: {}", left.join(", ")));
        }
        match self.cgroup.as_deref().and_then(first_folder) {
            Some(name) => Err(format!("a cgroup is left: {name}")),
            None => Ok(()),
        }
    }

    fn remove_folders(&self) {
        if let Some(outer) = self.cgroup.as_deref().and_then(Path::parent) {
            remove_cgroup(outer);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn first_folder(cgroup: &Path) -> Option<String> {
    let mut entries = fs::read_dir(cgroup).ok()?.flatten();
    let folder = entries.find(|entry| entry.path().is_dir())?;
    Some(folder.file_name().to_string_lossy().into_owned())
}

fn remove_cgroup(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .for_each(|it| remove_cgroup(&it));
    let _ = fs::remove_dir(folder);
}

/// The runner holds the other end of our stdin. If it is gone, so are we, and all that we have.
fn end_with_runner() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end_all();
        std::process::exit(1);
    });
}

/// Ends everything below this process: stops it first, so that no pair replaces itself.
fn end_all() {
    patiently(|| {
        send_all(Signal::STOP);
        (send_all(Signal::KILL) == 0).then_some(())
    });
}

/// Answers how many there were.
fn send_all(signal: Signal) -> usize {
    let all = look::descendants();
    for process in &all {
        send(*process, signal);
    }
    all.len()
}

/// Waits for a fact that nobody announces.
pub(super) fn until<T>(
    what: &str,
    started: &Started,
    fact: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    patiently(fact).ok_or_else(|| format!("waited in vain for {what}; {}", started.last_words()))
}

fn patiently<T>(mut fact: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let seen = fact();
        if seen.is_some() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}
