//! From tables to a checked configuration: defaults, then what must hold together.

mod depends;
mod paths;
mod placeholders;
mod ports;
mod slot;
mod spec;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use worker_core::Spec;

use self::depends::Graph;
use super::name::{self, Name};
use super::problem::{Problem, Problems};
use super::setting::{At, narrowed};
use super::slot::{Config, Slot};
use super::source::{Place, Source};
use super::tables::{File, SlotTable};
use super::values::Map;

/// Where the configuration is at home.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The folder of `worker.toml`, absolute.
    pub(super) folder: PathBuf,
    /// What `~` stands for.
    pub(super) user: Option<PathBuf>,
}

/// What the checks need to know and tell.
struct Checks<'a> {
    home: &'a Home,
    sources: &'a [Source],
    problems: &'a mut Problems,
    /// The policies of the slot before.
    latest: Option<Spec>,
}

/// A slot or a template that is being checked, with the defaults in it.
struct Draft<'a> {
    name: &'a Name,
    kind: Kind,
    /// What it says itself.
    own: &'a SlotTable,
    /// The same over the defaults.
    table: SlotTable,
    place: &'a Place,
    sound: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Slot,
    Template,
}

/// The configuration. It holds together only if no problem was added.
pub(super) fn resolve(
    file: File,
    home: &Home,
    sources: &[Source],
    problems: &mut Problems,
) -> Option<Config> {
    let mut checks = Checks { home, sources, problems, latest: None };
    let project = checks.project(file.project.map(|project| project.value));
    let slots = drafts(file.slots.as_deref(), file.defaults.as_deref(), Kind::Slot);
    let templates = drafts(file.templates.as_deref(), file.defaults.as_deref(), Kind::Template);
    Graph::check(&slots, &templates, &mut checks);
    ports::check_fixed(&slots, &mut checks);
    let slots = checks.slots(&slots);
    let templates = checks.slots(&templates);
    Some(Config { project: project?, folder: home.folder.clone(), slots, templates })
}

fn drafts<'a>(
    slots: Option<&'a At<Map<Name, SlotTable>>>,
    defaults: Option<&At<SlotTable>>,
    kind: Kind,
) -> Vec<Draft<'a>> {
    let slots = slots.into_iter().flat_map(|slots| &slots.value.0);
    let draft = |(name, own): (&'a Name, &'a At<SlotTable>)| {
        let whole = match defaults {
            Some(defaults) => own.clone().over(defaults.clone()),
            None => own.clone(),
        };
        let (own, place) = (&own.value, &own.place);
        Draft { name, kind, own, table: whole.value, place, sound: whole.sound }
    };
    slots.map(draft).collect()
}

impl Draft<'_> {
    /// What is wrong only for this slot names it where the setting stands in the defaults.
    fn problem(&self, problem: Problem, is_own: bool) -> Problem {
        if is_own { problem } else { problem.also(self.place, "it is inherited here") }
    }
}

impl Checks<'_> {
    fn add(&mut self, problem: Problem) {
        self.problems.add(problem);
    }

    /// The part of a place where `text` is written; the whole place if it is written otherwise.
    fn place_of(&self, text: &str, within: &Place) -> Place {
        self.sources
            .get(within.file)
            .map_or_else(|| within.clone(), |source| narrowed(source, text, within))
    }

    fn project(&mut self, written: Option<Name>) -> Option<Name> {
        written.or_else(|| self.project_of_folder())
    }

    fn project_of_folder(&mut self) -> Option<Name> {
        let folder = folder_name(&self.home.folder);
        let why = match Name::parse(&folder) {
            Ok(name) => return Some(name),
            Err(why) => why,
        };
        let suggestion = name::nearest(&folder).map_or("shop".to_owned(), |name| name.to_string());
        let message = format!("the folder's name \"{folder}\" cannot be the project's name: {why}");
        let place = Place::default();
        self.add(
            Problem::new(&place, message)
                .hint(format!("name the project here: project = \"{suggestion}\"")),
        );
        None
    }

    fn slots(&mut self, drafts: &[Draft<'_>]) -> BTreeMap<Name, Arc<Slot>> {
        let named =
            drafts.iter().filter_map(|draft| Some((draft.name.clone(), self.slot(draft)?.into())));
        named.collect()
    }
}

/// What a project is called that is not given a name.
pub(super) fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
