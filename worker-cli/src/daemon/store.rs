//! The file of what outlives a daemon: lines of JSON, of which a later one wins over an earlier one
//! about the same thing.
//!
//! A line is written with one call, before anybody has an answer that rests on it. A process that is
//! killed loses nothing that was written; the last line may be torn, and is left out. Where the disk is
//! full, what could not be written is kept in memory and the file is written anew as soon as it can be.
//!
//! What is to be written is put into words here, and written by the thread of the [`Disk`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use worker_core::{Failures, Instant};

use super::disk::{Disk, Target};
use super::folders;
use super::json_lines;
use super::record::{Record, Variables};

/// The version of the file.
const VERSION: u32 = 1;

/// The file within the state folder.
const FILE: &str = "slots.jsonl";

/// So many lines may be outdated before the file is written anew.
const OUTDATED: usize = 10_000;

/// So many of the latest environments may belong to starts that no slot has taken up yet.
const RECENT_ENVS: u64 = 64;

/// With more slots than this, half of what a daemon can have, instances are forgotten at its start.
const MOST_SLOTS: usize = 1 << 15;

/// What is kept beside the records of slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// The boot in which the instants of the records were read.
    boot: String,
    /// The `worker.toml` of each project.
    pub(super) projects: BTreeMap<String, PathBuf>,
    /// The environments by their numbers.
    pub(super) envs: BTreeMap<u64, Variables>,
}

/// The file, and what is in it but for the records: those are their slots' own, and are handed in by
/// whoever has them.
#[derive(Debug)]
pub(super) struct Store {
    kept: Kept,
    disk: Disk,
    file: Arc<StateFile>,
    /// Where further lines of this edition go.
    end: Target,
    /// How often the file was begun anew.
    edition: u64,
    /// So many lines of this edition have come since.
    lines: usize,
}

/// What the thread has of it.
#[derive(Debug)]
struct StateFile {
    path: PathBuf,
    /// Locked while it is written. None while it cannot be.
    open: Mutex<Option<File>>,
    /// Never locked for longer than it takes to look.
    trouble: Mutex<Option<Trouble>>,
}

/// Something is missing in the file.
#[derive(Debug)]
struct Trouble {
    /// What was begun anew after this one has it.
    edition: u64,
    why: String,
}

/// What a file held when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) store: Store,
    /// The slots by their names in full.
    pub(super) slots: Slots,
    pub(super) aside: Option<PutAside>,
}

pub(super) type Slots = BTreeMap<String, Record>;

/// The records of all slots by their names in full.
pub(super) trait Records<'a>:
    ExactSizeIterator<Item = (&'a str, &'a Record)> + Clone
{
}

impl<'a, I: ExactSizeIterator<Item = (&'a str, &'a Record)> + Clone> Records<'a> for I {}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Head { v: u32, boot: Cow<'a, str> },
    Project { name: Cow<'a, str>, config: Cow<'a, Path> },
    Env { number: u64, variables: Cow<'a, Variables> },
    Slot { name: Cow<'a, str>, record: Cow<'a, Record> },
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
    pub(super) fn open(state_dir: &Path, boot: &str, disk: Disk) -> io::Result<Opened> {
        let path = state_dir.join(FILE);
        let (kept, mut slots, trouble) = read(&path)?;
        let aside = trouble.map(|why| put_aside(&path, why)).transpose()?;
        for name in forget_long_rested(&mut slots, MOST_SLOTS) {
            // What cannot be removed does no harm.
            drop(std::fs::remove_dir_all(folders::slot(state_dir, &name)));
        }
        let file = Arc::new(StateFile::at(path));
        let mut store = Self { kept, disk, end: file.end(0), file, edition: 0, lines: 0 };
        store.kept.drop_unused_envs(0, records(&slots));
        if store.kept.boot != boot {
            boot.clone_into(&mut store.kept.boot);
            slots.values_mut().for_each(move_to_new_boot);
        }
        store.rewrite(records(&slots));
        Ok(Opened { store, slots, aside })
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Why it cannot be written at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = lock(&self.file.trouble);
        let why = &trouble.as_ref()?.why;
        let path = self.file.path.display();
        Some(format!(
            "{path} cannot be written ({why}): what happens now is forgotten if the daemon ends"
        ))
    }

    pub(super) fn put_project<'a>(&mut self, name: &str, config: &Path, all: impl Records<'a>) {
        if self.kept.projects.get(name).map(PathBuf::as_path) != Some(config) {
            self.kept.projects.insert(name.to_owned(), config.to_owned());
            self.write(Line::Project { name: name.into(), config: config.into() }, all);
        }
    }

    /// Keeps what a slot's record is from now on, which is among `all`.
    pub(super) fn put_slot<'a>(&mut self, name: &str, record: &Record, all: impl Records<'a>) {
        self.write(Line::Slot { name: name.into(), record: Cow::Borrowed(record) }, all);
    }

    /// Keeps an environment, and answers its number.
    pub(super) fn put_env<'a>(&mut self, variables: &Variables, all: impl Records<'a>) -> u64 {
        let known = self.kept.envs.iter().find(|(_, known)| *known == variables);
        if let Some((number, _)) = known {
            return *number;
        }
        // Each terminal brings one of its own.
        self.kept.drop_unused_envs(RECENT_ENVS, all.clone());
        let number = self.kept.envs.last_key_value().map_or(1, |(latest, _)| latest + 1);
        self.kept.envs.insert(number, variables.clone());
        self.write(Line::Env { number, variables: Cow::Borrowed(variables) }, all);
        number
    }

    /// Has what could not be written written anew; answers whether there is such.
    pub(super) fn retry<'a>(&mut self, all: impl Records<'a>) -> bool {
        let lacks_some = self.lacks_some();
        if lacks_some {
            self.rewrite(all);
        }
        lacks_some
    }

    /// Whether this edition lacks something that only the next one can have.
    fn lacks_some(&self) -> bool {
        lock(&self.file.trouble).as_ref().is_some_and(|trouble| trouble.edition == self.edition)
    }

    fn write<'a>(&mut self, line: Line<'_>, all: impl Records<'a>) {
        if self.lines > OUTDATED + all.len() || self.lacks_some() {
            return self.rewrite(all);
        }
        let given = self.disk.write(&self.end, |into| json_lines::put([line], into));
        self.lines += 1;
        self.note(given);
    }

    /// Writes the file anew.
    fn rewrite<'a>(&mut self, all: impl Records<'a>) {
        self.kept.drop_unused_envs(RECENT_ENVS, all.clone());
        self.edition += 1;
        self.lines = 0;
        self.end = self.file.end(self.edition);
        let beginning = self.file.beginning(self.edition);
        let lines = self.kept.lines(all);
        let given = self.disk.write(&beginning, |into| json_lines::put(lines, into));
        self.note(given);
    }

    fn note(&self, given: io::Result<()>) {
        if let Err(error) = given {
            self.file.lacks_some_of(self.edition, error.to_string());
        }
    }
}

impl StateFile {
    fn at(path: PathBuf) -> Self {
        Self { path, open: Mutex::default(), trouble: Mutex::default() }
    }

    fn beginning(self: &Arc<Self>, edition: u64) -> Target {
        let file = Arc::clone(self);
        Target::new(move |text| file.begin(edition, text))
    }

    fn end(self: &Arc<Self>, edition: u64) -> Target {
        let file = Arc::clone(self);
        Target::new(move |text| file.append(edition, text))
    }

    /// Writes the file anew, beside the one that is there, and puts it in its place.
    fn begin(&self, edition: u64, text: &[u8]) {
        let mut open = lock(&self.open);
        match write_new(&self.path, text) {
            Ok(file) => {
                *open = Some(file);
                lock(&self.trouble).take_if(|trouble| trouble.edition < edition);
            }
            Err(error) => {
                *open = None;
                self.lacks_some_of(edition, error.to_string());
            }
        }
    }

    fn append(&self, edition: u64, text: &[u8]) {
        let mut open = lock(&self.open);
        // Where there is none, that was said.
        let Some(file) = &mut *open else { return };
        if let Err(error) = file.write_all(text) {
            // Half a line may be there now, so that nothing may be written behind it.
            *open = None;
            self.lacks_some_of(edition, error.to_string());
        }
    }

    fn lacks_some_of(&self, edition: u64, why: String) {
        let mut trouble = lock(&self.trouble);
        if trouble.as_ref().is_none_or(|known| known.edition <= edition) {
            *trouble = Some(Trouble { edition, why });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets instances of templates at rest, those first that have rested longest, until there are no more
/// slots than this. Answers their names.
fn forget_long_rested(slots: &mut Slots, most: usize) -> Vec<String> {
    let excess = slots.len().saturating_sub(most);
    let mut resting: Vec<(Timestamp, String)> = slots
        .iter()
        .filter(|(name, record)| excess > 0 && name.contains('@') && record.rests())
        .map(|(name, record)| (record.since, name.clone()))
        .collect();
    resting.sort_unstable();
    let forgotten = resting.into_iter().take(excess).map(|(_, name)| name);
    forgotten.inspect(|name| drop(slots.remove(name))).collect()
}

pub(super) fn records(slots: &Slots) -> impl Records<'_> {
    slots.iter().map(|(name, record)| (name.as_str(), record))
}

/// What is there, and what is wrong with it.
fn read(path: &Path) -> io::Result<(Kept, Slots, Option<String>)> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let (mut kept, mut slots) = (Kept::default(), Slots::new());
    let trouble = take_lines(&text, &mut kept, &mut slots).err();
    Ok((kept, slots, trouble))
}

/// Takes in what can be read; answers what is wrong with the rest.
fn take_lines(text: &[u8], kept: &mut Kept, slots: &mut Slots) -> Result<(), String> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    match lines.next().map(|(_, line)| serde_json::from_slice(line)) {
        None => return Ok(()),
        Some(Ok(Line::Head { v: VERSION, boot })) => kept.boot = boot.into_owned(),
        Some(Ok(Line::Head { v, .. })) if v > VERSION => {
            let own = env!("CARGO_PKG_VERSION");
            return Err(format!("it was written by a newer version than {own}"));
        }
        Some(_) => return Err("line 1 is damaged".to_owned()),
    }
    for (index, line) in lines {
        match serde_json::from_slice(line) {
            Ok(Line::Slot { name, record }) => {
                slots.insert(name.into_owned(), record.into_owned());
            }
            Ok(line) => kept.take(line),
            // Torn while it was written.
            Err(_) if !line.ends_with(b"\n") => {}
            Err(_) => return Err(format!("line {} is damaged", index + 1)),
        }
    }
    Ok(())
}

/// The clock began anew: what was before is as old as it can be.
fn move_to_new_boot(record: &mut Record) {
    if let Failures::Streak(streak) = &mut record.past.failures {
        streak.latest = Instant::ZERO;
    }
}

impl Kept {
    /// But for so many of the latest.
    fn drop_unused_envs<'a>(&mut self, recent: u64, all: impl Records<'a>) {
        let latest = self.envs.last_key_value().map_or(0, |(latest, _)| *latest);
        self.envs.retain(|number, _| {
            latest - number < recent || all.clone().any(|(_, record)| record.env == Some(*number))
        });
    }

    fn take(&mut self, line: Line<'_>) {
        match line {
            Line::Head { .. } | Line::Slot { .. } => {}
            Line::Project { name, config } => {
                self.projects.insert(name.into_owned(), config.into_owned());
            }
            Line::Env { number, variables } => {
                self.envs.insert(number, variables.into_owned());
            }
        }
    }

    fn lines<'l, 'a: 'l>(&'l self, all: impl Records<'a>) -> impl Iterator<Item = Line<'l>> {
        let head = Line::Head { v: VERSION, boot: self.boot.as_str().into() };
        let projects = self
            .projects
            .iter()
            .map(|(name, config)| Line::Project { name: name.into(), config: config.into() });
        let envs = self.envs.iter().map(|(number, variables)| Line::Env {
            number: *number,
            variables: Cow::Borrowed(variables),
        });
        let slots = all
            .map(|(name, record)| Line::Slot { name: name.into(), record: Cow::Borrowed(record) });
        std::iter::once(head).chain(projects).chain(envs).chain(slots)
    }
}

/// Environments hold secrets: only the user may read them.
fn write_new(path: &Path, text: &[u8]) -> io::Result<File> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let written = file.write_all(text).and_then(|()| std::fs::rename(&new, path));
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

    /// A store with the slots that a registry would have.
    struct Bench {
        store: Store,
        slots: Slots,
    }

    /// Opens it, and waits until it is begun anew.
    fn try_open(folder: &Path) -> Opened {
        let opened = Store::open(folder, "boot-1", Disk::start().unwrap()).unwrap();
        opened.store.wait();
        opened
    }

    impl Store {
        /// Waits until everything is written.
        fn wait(&self) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(self.disk.has_caught_up());
        }
    }

    impl Bench {
        fn put_slot(&mut self, name: &str, record: Record) {
            self.slots.insert(name.to_owned(), record.clone());
            self.store.put_slot(name, &record, records(&self.slots));
            self.store.wait();
        }

        fn put_env(&mut self, variables: &Variables) -> u64 {
            let number = self.store.put_env(variables, records(&self.slots));
            self.store.wait();
            number
        }

        fn retry(&mut self) -> bool {
            let tried = self.store.retry(records(&self.slots));
            self.store.wait();
            tried
        }

        /// What is open fails from now on.
        fn fill_disk(&self) {
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            *lock(&self.store.file.open) = Some(full);
        }

        fn all(&self) -> (Kept, Slots) {
            (self.store.kept().clone(), self.slots.clone())
        }
    }

    fn open(folder: &Path) -> Bench {
        let Opened { store, slots, aside } = try_open(folder);
        assert_eq!(aside, None);
        Bench { store, slots }
    }

    fn filled(folder: &Path) -> Bench {
        let mut bench = open(folder);
        let config = Path::new("/shop/worker.toml");
        bench.store.put_project("shop", config, records(&bench.slots));
        bench.store.wait();
        let env = bench.put_env(&env(1));
        let record = Record { run: 3, intent: Intent::Up, env: Some(env), ..Record::default() };
        bench.put_slot("shop/api", record);
        bench.put_slot("shop/web", Record::default());
        bench
    }

    #[test]
    fn what_was_put_is_there_for_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let all = filled(folder.path()).all();
        assert_eq!(all.1.len(), 2);
        assert_eq!(open(folder.path()).all(), all);
        let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    fn env(text: impl ToString) -> Variables {
        [("A".to_owned(), text.to_string())].into()
    }

    #[test]
    fn the_same_environment_is_kept_once_and_an_unused_one_not_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = filled(folder.path());
        assert_eq!(bench.put_env(&env(1)), 1);
        for number in 2..=1000 {
            assert_eq!(bench.put_env(&env(number)), number);
        }
        let envs = &bench.store.kept().envs;
        assert!(envs.len() < 100);
        assert_eq!(envs.get(&1), Some(&env(1)), "a slot has it");
        drop(bench);
        assert_eq!(open(folder.path()).store.kept().envs.len(), 1);
    }

    #[test]
    fn instances_that_have_rested_longest_are_forgotten_where_there_are_too_many() {
        let slot = |second, record: Record| Record {
            since: Timestamp::from_second(second).unwrap(),
            ..record
        };
        let up = || Record { intent: Intent::Up, ..Record::default() };
        let slots = [
            ("shop/agent@new", slot(9, Record::default())),
            ("shop/agent@old", slot(1, Record::default())),
            ("shop/agent@older", slot(0, Record::default())),
            ("shop/agent@up", slot(0, up())),
            ("shop/api", slot(0, Record::default())),
        ];
        let mut slots: Slots = slots.map(|(name, record)| (name.to_owned(), record)).into();
        assert_eq!(forget_long_rested(&mut slots, 5), [""; 0]);
        assert_eq!(forget_long_rested(&mut slots, 3), ["shop/agent@older", "shop/agent@old"]);
        assert_eq!(forget_long_rested(&mut slots, 0), ["shop/agent@new"]);
        assert_eq!(slots.len(), 2, "nothing else is");
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let all = filled(folder.path()).all();
        let path = folder.path().join(FILE);
        let mut text = std::fs::read(&path).unwrap();
        text.extend(b"{\"slot\":{\"name\":\"shop/n");
        std::fs::write(&path, text).unwrap();
        assert_eq!(open(folder.path()).all(), all);
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_what_can_be_read_of_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path()));
        let path = folder.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("rubbish\n{\"project\":{\"name\":\"late\",\"config\":\"/late\"}}\n");
        std::fs::write(&path, &text).unwrap();
        let Opened { store, slots, aside } = try_open(folder.path());
        let aside = aside.unwrap();
        assert_eq!(aside.why, "line 6 is damaged");
        assert_eq!(std::fs::read_to_string(aside.path).unwrap(), text);
        assert_eq!(slots.len(), 2);
        assert!(!store.kept().projects.contains_key("late"));
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_aside_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for number in 1..=2 {
            std::fs::write(&path, format!("{{\"head\":{{\"v\":9,\"boot\":\"{number}\"}}}}\n"))
                .unwrap();
            let opened = try_open(folder.path());
            assert!(opened.aside.unwrap().why.contains("newer version"));
            assert!(opened.slots.is_empty());
        }
        let aside = |number| path.with_extension(format!("jsonl.aside-{number}"));
        assert!(std::fs::read_to_string(aside(1)).unwrap().contains("\"1\""));
        assert!(std::fs::read_to_string(aside(2)).unwrap().contains("\"2\""));
    }

    #[test]
    fn an_environment_outlives_a_disk_that_is_full_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = filled(folder.path());
        bench.fill_disk();
        let number = bench.put_env(&env(2));
        assert_eq!(bench.store.kept().envs[&number], env(2));
        bench.put_slot("shop/web", Record { env: Some(number), ..Record::default() });
        assert_eq!(bench.store.trouble(), None);
        assert_eq!(open(folder.path()).store.kept().envs[&number], env(2));
    }

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let mut bench = filled(&state);
        bench.fill_disk();
        std::fs::rename(&state, folder.path().join("away")).unwrap();
        for slot in ["shop/db", "shop/mail"] {
            bench.put_slot(slot, Record::default());
            assert!(bench.store.trouble().unwrap().contains("cannot be written"));
        }
        assert!(bench.retry());
        assert!(bench.store.trouble().is_some());
        std::fs::rename(folder.path().join("away"), &state).unwrap();
        assert!(bench.retry());
        assert_eq!(bench.store.trouble(), None);
        assert!(!bench.retry(), "there is nothing left to do");
        bench.put_slot("shop/cache", Record::default());
        assert_eq!(open(&state).all(), bench.all());
    }

    #[test]
    fn what_a_disk_that_hangs_was_not_given_is_written_when_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = filled(folder.path());
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let hanging = Target::new(move |_| assert!(lock(&held).recv().is_err()));
        let much = |into: &mut Vec<u8>| {
            into.resize(8 << 20, 0);
            Ok(())
        };
        bench.store.disk.write(&hanging, much).unwrap();
        let record = Record { run: 7, ..Record::default() };
        bench.slots.insert("shop/api".to_owned(), record.clone());
        for _ in 0..2 {
            bench.store.put_slot("shop/api", &record, records(&bench.slots));
            assert!(bench.store.trouble().unwrap().contains("the disk hangs"));
        }
        drop(release);
        bench.store.wait();
        assert!(bench.retry());
        assert_eq!(bench.store.trouble(), None);
        assert_eq!(open(folder.path()).slots["shop/api"].run, 7);
    }
}
