//! The file of what outlives a daemon: lines of JSON, of which a later one wins over an earlier one
//! about the same thing.
//!
//! A line is written with one call, before anybody has an answer that rests on it. A process that is
//! killed loses nothing that was written; the last line may be torn, and is left out. Where the disk is
//! full, what could not be written is kept in memory and the file is written anew as soon as it can be.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use worker_core::{Failures, Instant};

use super::record::{Record, Variables};

/// The version of the file.
const VERSION: u32 = 1;

/// The file within the state folder.
const FILE: &str = "slots.jsonl";

/// So many lines may be outdated before the file is written anew.
const OUTDATED: usize = 10_000;

/// So many of the latest environments may belong to starts that no slot has taken up yet.
const RECENT_ENVS: u64 = 64;

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// The boot in which the instants of the records were read.
    pub(super) boot: String,
    /// The `worker.toml` of each project.
    pub(super) projects: BTreeMap<String, PathBuf>,
    /// The slots by their names in full.
    pub(super) slots: BTreeMap<String, Record>,
    /// The environments by their numbers.
    pub(super) envs: BTreeMap<u64, Variables>,
}

/// The file, and what is in it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    kept: Kept,
    /// None while it cannot be written.
    file: Option<File>,
    lines: usize,
    trouble: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Head { v: u32, boot: String },
    Project { name: String, config: PathBuf },
    Env { number: u64, variables: Variables },
    Slot { name: String, record: Record },
}

/// Why what was there is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PutAside {
    /// Where it is now.
    pub(super) path: PathBuf,
    /// What is wrong with it.
    pub(super) why: String,
}

impl fmt::Display for PutAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what was known of slots is kept as {}: {}", self.path.display(), self.why)
    }
}

impl Store {
    /// Reads the file, and begins it anew with what still counts. One that is damaged or of a newer
    /// version is kept under another name; what could be read of a damaged one is used.
    ///
    /// # Errors
    ///
    /// If it can be neither read nor moved aside: then nothing has changed.
    pub(super) fn open(state_dir: &Path, boot: &str) -> io::Result<(Self, Option<PutAside>)> {
        let path = state_dir.join(FILE);
        let (kept, trouble) = read(&path)?;
        let aside = trouble.map(|why| put_aside(&path, why)).transpose()?;
        let mut store = Self { path, kept, file: None, lines: 0, trouble: None };
        store.kept.drop_unused_envs(0);
        if store.kept.boot != boot {
            store.kept.move_to_boot(boot);
        }
        store.rewrite();
        Ok((store, aside))
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Why it cannot be written at the moment.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(super) fn put_project(&mut self, name: &str, config: PathBuf) {
        if self.kept.projects.get(name) != Some(&config) {
            self.kept.projects.insert(name.to_owned(), config.clone());
            self.write(&Line::Project { name: name.to_owned(), config });
        }
    }

    pub(super) fn put_slot(&mut self, name: &str, record: &Record) {
        if self.kept.slots.get(name) != Some(record) {
            self.kept.slots.insert(name.to_owned(), record.clone());
            self.write(&Line::Slot { name: name.to_owned(), record: record.clone() });
        }
    }

    /// Keeps an environment, and answers its number.
    pub(super) fn put_env(&mut self, variables: &Variables) -> u64 {
        let known = self.kept.envs.iter().find(|(_, known)| *known == variables);
        if let Some((number, _)) = known {
            return *number;
        }
        // Each terminal brings one of its own.
        self.kept.drop_unused_envs(RECENT_ENVS);
        let number = self.kept.envs.last_key_value().map_or(1, |(latest, _)| latest + 1);
        self.kept.envs.insert(number, variables.clone());
        self.write(&Line::Env { number, variables: variables.clone() });
        number
    }

    /// Writes what could not be written, if that is possible by now.
    pub(super) fn retry(&mut self) {
        if self.trouble.is_some() {
            self.rewrite();
        }
    }

    fn write(&mut self, line: &Line) {
        if self.lines > OUTDATED + self.kept.slots.len() || self.file.is_none() {
            return self.rewrite();
        }
        let Some(file) = &mut self.file else { return };
        match append(file, line) {
            Ok(()) => self.lines += 1,
            // Half a line may be there now, so that nothing may be written behind it.
            Err(_) => self.rewrite(),
        }
    }

    /// Writes the file anew, beside the one that is there, and puts it in its place.
    fn rewrite(&mut self) {
        self.kept.drop_unused_envs(RECENT_ENVS);
        match write_new(&self.path, &self.kept) {
            Ok(file) => {
                self.file = Some(file);
                self.lines = 0;
                self.trouble = None;
            }
            Err(error) => {
                self.file = None;
                self.trouble = Some(format!(
                    "{} cannot be written ({error}): what happens now is forgotten if the daemon ends",
                    self.path.display()
                ));
            }
        }
    }
}

/// What is there, and what is wrong with it.
fn read(path: &Path) -> io::Result<(Kept, Option<String>)> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((Kept::default(), None));
        }
        Err(error) => return Err(error),
    };
    let mut kept = Kept::default();
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let newer = format!("it was written by a newer version than {}", env!("CARGO_PKG_VERSION"));
    match lines.next().map(|(_, line)| serde_json::from_slice(line)) {
        None => return Ok((kept, None)),
        Some(Ok(Line::Head { v: VERSION, boot })) => kept.boot = boot,
        Some(Ok(Line::Head { v, .. })) if v > VERSION => return Ok((kept, Some(newer))),
        Some(_) => return Ok((kept, Some("line 1 is damaged".to_owned()))),
    }
    for (index, line) in lines {
        match serde_json::from_slice(line) {
            Ok(line) => kept.take(line),
            // Torn while it was written.
            Err(_) if !line.ends_with(b"\n") => {}
            Err(_) => return Ok((kept, Some(format!("line {} is damaged", index + 1)))),
        }
    }
    Ok((kept, None))
}

impl Kept {
    /// The clock began anew: what was before is as old as it can be.
    fn move_to_boot(&mut self, boot: &str) {
        boot.clone_into(&mut self.boot);
        for record in self.slots.values_mut() {
            if let Failures::Streak(streak) = &mut record.past.failures {
                streak.latest = Instant::ZERO;
            }
        }
    }

    /// But for so many of the latest.
    fn drop_unused_envs(&mut self, recent: u64) {
        let Self { slots, envs, .. } = self;
        let latest = envs.last_key_value().map_or(0, |(latest, _)| *latest);
        envs.retain(|number, _| {
            latest - number < recent || slots.values().any(|record| record.env == Some(*number))
        });
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Head { .. } => {}
            Line::Project { name, config } => drop(self.projects.insert(name, config)),
            Line::Env { number, variables } => drop(self.envs.insert(number, variables)),
            Line::Slot { name, record } => drop(self.slots.insert(name, record)),
        }
    }

    fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let head = Line::Head { v: VERSION, boot: self.boot.clone() };
        let projects = self
            .projects
            .iter()
            .map(|(name, config)| Line::Project { name: name.clone(), config: config.clone() });
        let envs = self
            .envs
            .iter()
            .map(|(number, variables)| Line::Env { number: *number, variables: variables.clone() });
        let slots = self
            .slots
            .iter()
            .map(|(name, record)| Line::Slot { name: name.clone(), record: record.clone() });
        std::iter::once(head).chain(projects).chain(envs).chain(slots)
    }
}

fn append(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// Environments hold secrets: only the user may read them.
fn write_new(path: &Path, kept: &Kept) -> io::Result<File> {
    let new = path.with_extension("new");
    let mut text = Vec::new();
    for line in kept.lines() {
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let written = file.write_all(&text).and_then(|()| std::fs::rename(&new, path));
    written.inspect_err(|_| drop(std::fs::remove_file(&new)))?;
    Ok(file)
}

/// Never over what was put aside before.
fn put_aside(path: &Path, why: String) -> io::Result<PutAside> {
    let names = (1..).map(|number| path.with_extension(format!("jsonl.aside-{number}")));
    let free = names.into_iter().find(|name| name.symlink_metadata().is_err());
    let aside = free.unwrap_or_else(|| path.with_extension("jsonl.aside"));
    std::fs::rename(path, &aside)?;
    Ok(PutAside { path: aside, why })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::record::Intent;
    use super::*;

    fn open(folder: &Path) -> Store {
        let (store, aside) = Store::open(folder, "boot-1").unwrap();
        assert_eq!(aside, None);
        store
    }

    fn filled(folder: &Path) -> Store {
        let mut store = open(folder);
        store.put_project("shop", "/shop/worker.toml".into());
        let env = store.put_env(&[("A".to_owned(), "1".to_owned())].into());
        let record = Record { run: 3, intent: Intent::Up, env: Some(env), ..Record::default() };
        store.put_slot("shop/api", &record);
        store.put_slot("shop/web", &Record::default());
        store
    }

    #[test]
    fn what_was_put_is_there_for_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let kept = filled(folder.path()).kept().clone();
        assert_eq!(kept.slots.len(), 2);
        assert_eq!(*open(folder.path()).kept(), kept);
        let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    fn env(text: impl ToString) -> Variables {
        [("A".to_owned(), text.to_string())].into()
    }

    #[test]
    fn the_same_environment_is_kept_once_and_an_unused_one_not_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = filled(folder.path());
        assert_eq!(store.put_env(&env(1)), 1);
        for number in 2..=1000 {
            assert_eq!(store.put_env(&env(number)), number);
        }
        assert!(store.kept().envs.len() < 100);
        assert_eq!(store.kept().envs.get(&1), Some(&env(1)), "a slot has it");
        drop(store);
        assert_eq!(open(folder.path()).kept().envs.len(), 1);
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let kept = filled(folder.path()).kept().clone();
        let path = folder.path().join(FILE);
        let mut text = std::fs::read(&path).unwrap();
        text.extend(b"{\"slot\":{\"name\":\"shop/n");
        std::fs::write(&path, text).unwrap();
        assert_eq!(*open(folder.path()).kept(), kept);
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_what_can_be_read_of_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path()));
        let path = folder.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("rubbish\n{\"project\":{\"name\":\"late\",\"config\":\"/late\"}}\n");
        std::fs::write(&path, &text).unwrap();
        let (store, aside) = Store::open(folder.path(), "boot-1").unwrap();
        let aside = aside.unwrap();
        assert_eq!(aside.why, "line 6 is damaged");
        assert_eq!(std::fs::read_to_string(aside.path).unwrap(), text);
        assert_eq!(store.kept().slots.len(), 2);
        assert!(!store.kept().projects.contains_key("late"));
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_aside_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for number in 1..=2 {
            std::fs::write(&path, format!("{{\"head\":{{\"v\":9,\"boot\":\"{number}\"}}}}\n"))
                .unwrap();
            let (store, aside) = Store::open(folder.path(), "boot-1").unwrap();
            assert!(aside.unwrap().why.contains("newer version"));
            assert!(store.kept().slots.is_empty());
        }
        let aside = |number| path.with_extension(format!("jsonl.aside-{number}"));
        assert!(std::fs::read_to_string(aside(1)).unwrap().contains("\"1\""));
        assert!(std::fs::read_to_string(aside(2)).unwrap().contains("\"2\""));
    }

    #[test]
    fn an_environment_outlives_a_disk_that_is_full_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = filled(folder.path());
        store.file = None;
        let number = store.put_env(&[("B".to_owned(), "2".to_owned())].into());
        assert_eq!(store.kept().envs[&number]["B"], "2");
        store.put_slot("shop/web", &Record { env: Some(number), ..Record::default() });
        drop(store);
        assert_eq!(open(folder.path()).kept().envs[&number]["B"], "2");
    }

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let mut store = filled(&state);
        // As a full disk: nothing new can be made, and what is open fails.
        store.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
        std::fs::rename(&state, folder.path().join("away")).unwrap();
        store.put_slot("shop/db", &Record::default());
        assert!(store.trouble().unwrap().contains("cannot be written"));
        std::fs::rename(folder.path().join("away"), &state).unwrap();
        store.put_slot("shop/cache", &Record::default());
        assert_eq!(store.trouble(), None);
        assert_eq!(open(&state).kept().slots.len(), 4);
    }
}
