//! What the daemon knows: projects, slots, and what each start of them was given.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once, Weak};

use jiff::Timestamp;
use worker_core::{Block, DownCause, Failures, LaunchId, PortRequest, SlotId, StopReason};

use super::deaths::Dying;
use super::folders;
use super::record::{Intent, Record, Variables};
use super::store::{Records, Slots, Store};
use super::waiting::Waiting;
use crate::config::{self, Config, Instance, Launch};
use crate::environment;
use crate::error::{Code, Failure};
use crate::logs::{DEFAULT_CAP, SlotLog};
use crate::slot_name::{project_of, short};

/// Variables as a process gets them.
pub(super) type Base = Arc<[(OsString, OsString)]>;

/// What the daemon knows.
#[derive(Debug)]
pub(super) struct Registry {
    state_dir: Arc<Path>,
    store: Store,
    projects: BTreeMap<String, Project>,
    names: BTreeMap<Arc<str>, SlotId>,
    entries: Vec<Entry>,
    latest_launch: u64,
    /// Everything is being stopped, to be gone on with by the next daemon.
    pub(super) is_closing: bool,
    /// Those that a launch still has, by their numbers.
    bases: HashMap<u64, Weak<[(OsString, OsString)]>>,
}

/// A configuration that was read.
#[derive(Clone, Debug)]
pub(super) struct Project {
    /// Its `worker.toml`.
    pub(super) file: PathBuf,
    /// What it says.
    pub(super) config: Arc<Config>,
}

/// A slot.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: SlotId,
    /// The name in full.
    pub(super) name: Arc<str>,
    pub(super) record: Record,
    /// What the configuration says of it, or did when it was started last; none for one that only
    /// the state file knows.
    pub(super) instance: Option<Instance>,
    /// What the core may still ask to execute, the latest last.
    pub(super) launches: Vec<(LaunchId, Arc<Launch>)>,
    /// The folder that its present start is being prepared in.
    pub(super) preparing: Option<PathBuf>,
    /// Its output.
    pub(super) log: SlotLog,
    /// The ports that are kept for it.
    pub(super) block: Option<Block>,
    /// The leader.
    pub(super) pid: Option<i32>,
    /// What went wrong last.
    pub(super) trouble: Option<Box<Trouble>>,
    /// Why its tree is being emptied.
    pub(super) stopping: Option<StopReason>,
    /// A start that waits for other slots.
    pub(super) waiting: Option<Box<Waiting>>,
    /// Another slot kept it from being started.
    pub(super) is_blocked: bool,
    /// What is known of the end of its present run.
    pub(super) dying: Dying,
    /// Whether it is in the configuration, or was started once.
    pub(super) is_listed: bool,
}

/// What went wrong, in words.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What the core knows of it; none if it is not the end of a run.
    pub(super) cause: Option<DownCause>,
    pub(super) words: String,
}

impl Trouble {
    /// The same with the last output.
    pub(super) fn with(self, last_word: Option<&str>) -> Self {
        let words = match last_word {
            Some(word) => format!("{}; its last output: {word}", self.words),
            None => self.words,
        };
        Self { words, ..self }
    }
}

impl Registry {
    /// What the state file knows. Slots have no configuration yet.
    pub(super) fn new(state_dir: Arc<Path>, store: Store, slots: Slots) -> Self {
        let mut registry = Self {
            state_dir,
            projects: BTreeMap::new(),
            names: BTreeMap::new(),
            entries: Vec::new(),
            latest_launch: 0,
            is_closing: false,
            bases: HashMap::new(),
            store,
        };
        for (name, record) in slots {
            if let Ok(id) = registry.id_of(&name) {
                registry.entry_mut(id).record = record;
            }
        }
        registry
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.names.values().map(|id| self.entry(*id)).filter(|entry| entry.is_listed)
    }

    pub(super) fn entry(&self, id: SlotId) -> &Entry {
        &self.entries[usize::from(id.get())]
    }

    pub(super) fn entry_mut(&mut self, id: SlotId) -> &mut Entry {
        &mut self.entries[usize::from(id.get())]
    }

    /// The slot of this name in full.
    pub(super) fn find(&self, name: &str) -> Result<SlotId, Failure> {
        let found = self.names.get(name).copied().filter(|id| self.entry(*id).is_listed);
        found.ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Failure {
        let listed: Vec<&str> = self.entries().map(|entry| &*entry.name).collect();
        unknown(name, listed)
    }

    pub(super) fn project(&self, name: &str) -> Option<&Project> {
        self.projects.get(name)
    }

    /// The names of the project's slots in full, in order.
    pub(super) fn slots_of(&self, project: &str) -> Vec<String> {
        let is_of = |entry: &&Entry| project_of(&entry.name) == project;
        self.entries().filter(is_of).map(|entry| entry.name.to_string()).collect()
    }

    /// Whether the daemon has ever seen the project.
    pub(super) fn knows_project(&self, name: &str) -> bool {
        self.projects.contains_key(name) || self.config_files().contains_key(name)
    }

    /// Takes a configuration as the project's own, and lists its slots.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the project is another one's name, or if there are too many slots.
    pub(super) fn take_config(
        &mut self,
        file: &Path,
        config: Config,
    ) -> Result<Arc<Config>, Failure> {
        let name = config.project.as_str().to_owned();
        self.check_project(&name, file)?;
        let config = Arc::new(config);
        for slot in config.slots.keys() {
            let instance = config.instance(slot.as_str());
            let id = self.id_of(&format!("{name}/{slot}"))?;
            let entry = self.entry_mut(id);
            entry.is_listed = true;
            if entry.instance.is_none() {
                entry.instance = instance;
            }
        }
        self.store.put_project(&name, file, records(&self.entries));
        let project = Project { file: file.to_owned(), config: Arc::clone(&config) };
        self.projects.insert(name, project);
        Ok(config)
    }

    /// Two files cannot be the same project, unless the one from before is gone.
    fn check_project(&self, name: &str, file: &Path) -> Result<(), Failure> {
        let before = self.projects.get(name).map(|project| project.file.as_path());
        let before = before.or_else(|| self.config_files().get(name).map(PathBuf::as_path));
        match before {
            Some(before) if before != file && before.exists() => {
                let message =
                    format!("the project `{name}` is that of {} already", before.display());
                let hint =
                    format!("name this one otherwise in {}: project = \"…\"", file.display());
                Err(Failure::new(Code::BadConfig, message).hint(hint))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The number of the slot; it is new if there was none.
    pub(super) fn id_of(&mut self, name: &str) -> Result<SlotId, Failure> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let number = u16::try_from(self.entries.len()).map_err(|_| {
            Failure::new(Code::Failed, "there are 65,536 slots, and there cannot be more").hint(
                "end this daemon with `worker down --all`; the next one forgets the instances \
                     of templates that have rested longest",
            )
        })?;
        let id = SlotId::new(number);
        let log = SlotLog::new(&folders::log(&self.state_dir, name), DEFAULT_CAP);
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name), id);
        self.entries.push(Entry {
            id,
            name,
            record: Record::default(),
            instance: None,
            launches: Vec::new(),
            preparing: None,
            log,
            block: None,
            pid: None,
            trouble: None,
            stopping: None,
            waiting: None,
            is_blocked: false,
            dying: Dying::default(),
            is_listed: true,
        });
        Ok(id)
    }

    /// Keeps what a start executes, until [`drop_launches`](Self::drop_launches).
    pub(super) fn add_launch(&mut self, slot: SlotId, launch: Launch) -> LaunchId {
        self.latest_launch += 1;
        let id = LaunchId::new(self.latest_launch);
        self.entry_mut(slot).launches.push((id, Arc::new(launch)));
        id
    }

    pub(super) fn launch(&self, slot: SlotId, id: LaunchId) -> Option<Arc<Launch>> {
        let mut launches = self.entry(slot).launches.iter();
        launches.find(|(known, _)| *known == id).map(|(_, launch)| Arc::clone(launch))
    }

    /// Drops the launches of the slot before this one: they are not started any more.
    pub(super) fn drop_launches(&mut self, slot: SlotId, before: LaunchId) {
        let entry = self.entry_mut(slot);
        entry.launches.retain(|(id, _)| *id >= before);
        entry.launches.shrink_to_fit();
    }

    /// The core takes a launch up: from now on the slot is what that says.
    pub(super) fn take_up(&mut self, slot: SlotId, launch: LaunchId) {
        let Some(launch) = self.launch(slot, launch) else { return };
        let env = self.number_of_base(&launch);
        let env = env.unwrap_or_else(|| self.put_env(&launch.variables()));
        self.change(slot, |entry| {
            entry.instance = Some(launch.instance.clone());
            entry.record.env = Some(env);
        });
    }

    /// The number of its environment, found without a look at each variable: a thousand may start at
    /// once. None if it is not kept any more.
    fn number_of_base(&self, launch: &Launch) -> Option<u64> {
        let is_its = |base: &Weak<_>| base.upgrade().is_some_and(|base| launch.builds_on(&base));
        let (number, _) = self.bases.iter().find(|(_, base)| is_its(base))?;
        self.store.kept().envs.contains_key(number).then_some(*number)
    }

    /// Drops one that turned out not to be needed.
    pub(super) fn drop_launch(&mut self, slot: SlotId, launch: LaunchId) {
        self.entry_mut(slot).launches.retain(|(id, _)| *id != launch);
    }

    /// The environment that a start builds on: what came with the request, else that of the last
    /// start that was taken up, else the daemon's own.
    pub(super) fn base(&mut self, id: SlotId, given: Option<&Variables>) -> Base {
        let before = self.entry(id).record.env;
        let number = match (given, before) {
            (Some(given), _) => self.put_env(given),
            (None, Some(before)) => before,
            (None, None) => self.put_env(&own_environment()),
        };
        self.change(id, |entry| entry.record.env = before.or(Some(number)));
        if let Some(base) = self.bases.get(&number).and_then(Weak::upgrade) {
            return base;
        }
        let variables = self.store.kept().envs.get(&number).cloned().unwrap_or_default();
        let base: Base =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.bases.retain(|_, base| base.strong_count() > 0);
        self.bases.insert(number, Arc::downgrade(&base));
        base
    }

    fn put_env(&mut self, variables: &Variables) -> u64 {
        self.store.put_env(variables, records(&self.entries))
    }

    /// Says what somebody wants of the slot.
    pub(super) fn intend(&mut self, id: SlotId, intent: Intent) {
        self.change(id, |entry| {
            entry.record.intent = intent;
            if intent == Intent::Rest {
                entry.is_blocked = false;
            }
        });
    }

    /// Changes a slot, and writes down what is kept of it if that has changed.
    pub(super) fn change(&mut self, id: SlotId, change: impl FnOnce(&mut Entry)) {
        let entry = self.entry_mut(id);
        let before = entry.record.clone();
        change(entry);
        let entry = &self.entries[usize::from(id.get())];
        if entry.record != before {
            self.store.put_slot(&entry.name, &entry.record, records(&self.entries));
        }
    }

    /// Has what could not be written written anew; answers whether there is such.
    pub(super) fn retry_to_write(&mut self) -> bool {
        self.store.retry(records(&self.entries))
    }

    /// Why what is known cannot be written at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        self.store.trouble()
    }

    /// The `worker.toml` of each project that the daemon has ever seen.
    pub(super) fn config_files(&self) -> &BTreeMap<String, PathBuf> {
        &self.store.kept().projects
    }

    /// Takes the slot off the list. Its record stays, so that its runs count on.
    pub(super) fn unlist(&mut self, id: SlotId) {
        let entry = self.entry_mut(id);
        entry.is_listed = false;
        entry.instance = None;
    }

    /// Takes a slot off the list that was removed, unless it has come back meanwhile.
    pub(super) fn unlist_unless_configured(&mut self, id: SlotId) {
        let name = &self.entry(id).name;
        let project = self.project(project_of(name));
        if project.is_none_or(|project| instance(&project.config, name).is_err()) {
            self.unlist(id);
        }
    }
}

impl Registry {
    /// Gives the slots of the project what the configuration says of them.
    pub(super) fn take_instances(&mut self, config: &Config) {
        let project = config.project.as_str();
        for entry in self.entries.iter_mut().filter(|entry| project_of(&entry.name) == project) {
            entry.instance = instance(config, &entry.name).ok();
        }
    }

    /// Takes the slots of the project off the list, but for those that are parked.
    pub(super) fn unlist_resting(&mut self, project: &str) {
        let ours = self.entries().filter(|entry| project_of(&entry.name) == project);
        let resting = ours.filter(|entry| !entry.was_parked());
        let ids: Vec<SlotId> = resting.map(|entry| entry.id).collect();
        ids.into_iter().for_each(|id| self.unlist(id));
    }

    /// Takes those slots of the project off the list that its configuration does not have, but for
    /// those that are to run or are parked.
    pub(super) fn unlist_removed(&mut self, project: &str) {
        let ours = self.entries().filter(|entry| project_of(&entry.name) == project);
        let removed = ours.filter(|entry| {
            entry.instance.is_none() && entry.record.intent == Intent::Rest && !entry.was_parked()
        });
        let ids: Vec<SlotId> = removed.map(|entry| entry.id).collect();
        ids.into_iter().for_each(|id| self.unlist(id));
    }
}

impl Entry {
    fn was_parked(&self) -> bool {
        matches!(self.record.past.failures, Failures::Parked(_))
    }

    /// The ports that it wants and no others.
    pub(super) fn fixed_ports(&self) -> Option<Block> {
        match self.instance.as_ref()?.slot.spec.options().ports {
            PortRequest::Fixed(block) => Some(block),
            PortRequest::None | PortRequest::Auto(_) => None,
        }
    }

    /// What went wrong, if it is this.
    pub(super) fn words_for(&self, cause: DownCause) -> Option<&str> {
        let trouble = self.trouble.as_ref().filter(|trouble| trouble.cause == Some(cause));
        trouble.map(|trouble| trouble.words.as_str())
    }

    /// Something kept it from being started, of which the core does not know.
    pub(super) fn is_kept_back(&mut self, words: String) {
        self.is_blocked = true;
        self.trouble = Some(Trouble { cause: None, words }.into());
    }

    /// The folder that it was prepared in is still there.
    pub(super) fn is_prepared(&self, dir: &Path) -> bool {
        self.record.prepared.as_deref() == Some(dir) && dir.is_dir()
    }

    /// It is at rest from now on.
    pub(super) fn rests(&mut self) {
        self.pid = None;
        self.stopping = None;
        self.record.since = Timestamp::now();
    }
}

/// What `config` says of a slot.
pub(super) fn instance(config: &Config, name: &str) -> Result<Instance, Failure> {
    config.instance(short(name)).ok_or_else(|| {
        let project = config.project.as_str();
        let slots = config.slots.keys().map(|slot| format!("{project}/{slot}"));
        let templates = config.templates.keys().map(|name| format!("{project}/{name}@ID"));
        let known: Vec<String> = slots.chain(templates).collect();
        unknown(name, known.iter().map(String::as_str).collect())
    })
}

fn records(entries: &[Entry]) -> impl Records<'_> {
    entries.iter().map(|entry| (&*entry.name, &entry.record))
}

fn unknown(name: &str, known: Vec<&str>) -> Failure {
    let failure = Failure::new(Code::NoSuchSlot, format!("there is no slot `{name}`"));
    match config::closest(name, known) {
        Some(closest) => failure.hint(format!("did you mean `{closest}`?")),
        None => failure.hint("`worker status` lists those there are; a slot stands in worker.toml"),
    }
}

/// What cannot be kept of it is said once.
fn own_environment() -> Variables {
    static SAID: Once = Once::new();
    let (variables, left_out) = environment::of_this_process();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        SAID.call_once(|| tracing::warn!("not UTF-8, so the slots do not get them: {names}"));
    }
    variables
}
