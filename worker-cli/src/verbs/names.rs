//! From what is written on the command line to slots by their names in full.

use std::path::PathBuf;

use super::here::{Here, Project};
use crate::config::{Config, Name, closest};
use crate::error::{Code, Failure};
use crate::slot_name::{project_of, short};

/// A slot that a verb is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Its name in full.
    pub(super) slot: String,
    /// The `worker.toml` that it stands in, if that is the nearest one.
    pub(super) config: Option<PathBuf>,
}

/// What names are looked up in.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// Where the verb is called.
    pub(super) here: &'a Here,
    /// The slots that the daemon knows, by their names in full.
    pub(super) known: &'a [String],
}

impl Names<'_> {
    /// The slots that are meant, each once.
    ///
    /// # Errors
    ///
    /// [`Failure`] for the first one that cannot be meant.
    pub(super) fn find_all(&self, written: &[String]) -> Result<Vec<Target>, Failure> {
        let mut targets: Vec<Target> = Vec::new();
        for written in written {
            let target = self.find(written)?;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    /// The slot that is meant: by its name in full, by that within the nearest project, or, outside
    /// of any, by that within the only project that has it.
    ///
    /// # Errors
    ///
    /// [`Failure`] if none or several can be meant, with what was probably meant.
    pub(super) fn find(&self, written: &str) -> Result<Target, Failure> {
        match (written.split_once('/'), self.here) {
            (Some((project, name)), _) => self.in_full(project, name),
            (None, Here::Project(near)) => self.in_full(near.name(), written),
            (None, Here::Nowhere) => self.anywhere(written),
            (None, Here::Broken(failure)) => self.anywhere(written).map_err(|_| failure.clone()),
        }
    }

    /// The template that is meant, by its name in full: one of the nearest project, or one that has
    /// instances.
    pub(super) fn template(&self, written: &str) -> Option<String> {
        let near = self.here.project();
        let in_near = || near.map(|near| (near.name(), written));
        let (project, name) = written.split_once('/').or_else(in_near)?;
        let template = format!("{project}/{name}");
        let has_it = |near: &&Project| names(&near.config.templates).any(|known| known == name);
        let stands_here = near.filter(|near| near.name() == project).is_some_and(|it| has_it(&it));
        let mut instances = self.known.iter().filter_map(|slot| slot.split_once('@'));
        let is_known = instances.any(|(of, _)| of == template);
        (stands_here || is_known).then_some(template)
    }

    fn in_full(&self, project: &str, name: &str) -> Result<Target, Failure> {
        let slot = format!("{project}/{name}");
        let near = self.here.project().filter(|near| near.name() == project);
        let stands_here = near.is_some_and(|near| has(&near.config, name));
        if stands_here || self.known.contains(&slot) {
            return Ok(Target { slot, config: near.map(|near| near.file.clone()) });
        }
        if near.is_none() && is_instance(name) {
            // Of a template of a project that the daemon may know.
            return Ok(Target { slot, config: None });
        }
        Err(self.unknown(&slot, near))
    }

    fn anywhere(&self, written: &str) -> Result<Target, Failure> {
        let is_meant = |slot: &&String| short(slot) == written;
        let meant: Vec<&String> = self.known.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [slot] => Ok(Target { slot: (*slot).clone(), config: None }),
            [] => Err(self.unknown(written, None)),
            [first, ..] => {
                let all: Vec<&str> = meant.iter().map(|slot| slot.as_str()).collect();
                let message = format!("several slots are called {written}: {}", all.join(", "));
                Err(Failure::new(Code::Usage, message).hint(format!("name it in full: {first}")))
            }
        }
    }

    fn unknown(&self, written: &str, near: Option<&Project>) -> Failure {
        let failure = Failure::new(Code::NoSuchSlot, format!("there is no slot {written}"));
        let template = short(written).split('@').next().unwrap_or_default();
        if near.is_some_and(|near| names(&near.config.templates).any(|known| known == template)) {
            return failure.hint(instance_hint(template, short(written)));
        }
        match self.alike(written) {
            Some(alike) => failure.hint(format!("did you mean `{alike}`?")),
            None => failure.hint("see which there are: worker status --all"),
        }
    }

    /// The slot that comes closest: by its name within its project, then by that in full.
    fn alike(&self, written: &str) -> Option<String> {
        let near = self.here.project();
        let near = near.into_iter().flat_map(|near| slots_of(&near.config));
        let known: Vec<String> = near.chain(self.known.iter().cloned()).collect();
        let name = closest(short(written), known.iter().map(|slot| short(slot)))?;
        let called_so: Vec<&str> =
            known.iter().map(String::as_str).filter(|slot| short(slot) == name).collect();
        let nearest = closest(written, called_so.iter().copied());
        let found = nearest.or(called_so.first().copied())?;
        let is_near = self.here.project().is_some_and(|near| near.name() == project_of(found));
        Some(if is_near { short(found) } else { found }.to_owned())
    }
}

/// How an instance of the template is named, which this is no name of.
fn instance_hint(template: &str, written: &str) -> String {
    let id = written.split_once('@').map(|(_, id)| id).filter(|id| !id.is_empty());
    match id.and_then(|id| Name::parse(id).err()) {
        Some(rule) => format!("what stands behind the @ is a name, and {rule}"),
        None => format!("{template} is a template: name an instance, as {template}@ID"),
    }
}

fn is_instance(name: &str) -> bool {
    name.split_once('@').is_some_and(|(template, id)| is_name(template) && is_name(id))
}

fn is_name(text: &str) -> bool {
    Name::parse(text).is_ok()
}

/// Whether a configuration has a slot, or the template of an instance.
fn has(config: &Config, name: &str) -> bool {
    match name.split_once('@') {
        Some((template, id)) => names(&config.templates).any(|it| it == template) && is_name(id),
        None => names(&config.slots).any(|it| it == name),
    }
}

fn names<T>(table: &std::collections::BTreeMap<Name, T>) -> impl Iterator<Item = &str> {
    table.keys().map(Name::as_str)
}

/// The slots of a configuration by their names in full.
pub(super) fn slots_of(config: &Config) -> impl Iterator<Item = String> {
    names(&config.slots).map(|name| format!("{}/{name}", config.project))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "project = \"shop\"\n\
        [slots.api]\ncommand = \"a\"\n[slots.worker-2]\ncommand = \"a\"\n\
        [templates.agent]\ncommand = \"a\"\n";

    fn shop() -> (tempfile::TempDir, Here) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("worker.toml");
        std::fs::write(&file, TOML).unwrap();
        let config = crate::config::load(&file).unwrap();
        (folder, Here::Project(Project { file, config }))
    }

    fn find(here: &Here, written: &str) -> Result<String, String> {
        let known = ["blog/api", "blog/site", "shop/api", "shop/old", "blog/agent@7"];
        let known = known.map(str::to_owned);
        let found = Names { here, known: &known }.find(written);
        found.map(|target| target.slot).map_err(|failure| failure.to_string())
    }

    fn check(here: &Here, written: &str, expected: Result<&str, &str>) {
        let found = find(here, written);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{written}");
    }

    #[test]
    fn in_a_project_a_bare_name_is_that_of_the_project() {
        let (_folder, here) = shop();
        check(&here, "api", Ok("shop/api"));
        check(&here, "shop/api", Ok("shop/api"));
        check(&here, "blog/api", Ok("blog/api"));
        check(&here, "old", Ok("shop/old"));
        check(&here, "agent@proj-42", Ok("shop/agent@proj-42"));
        check(&here, "blog/agent@new", Ok("blog/agent@new"));
    }

    #[test]
    fn in_a_project_what_is_unknown_is_refused_with_what_was_meant() {
        let (_folder, here) = shop();
        for (written, refused) in [
            ("aip", "there is no slot shop/aip\n  hint: did you mean `api`?"),
            ("apo", "there is no slot shop/apo\n  hint: did you mean `api`?"),
            ("site", "there is no slot shop/site\n  hint: did you mean `blog/site`?"),
            ("blog/sit", "there is no slot blog/sit\n  hint: did you mean `blog/site`?"),
            (
                "agent",
                "there is no slot shop/agent\n  hint: agent is a template: name an instance, as agent@ID",
            ),
            ("blgo/api", "there is no slot blgo/api\n  hint: did you mean `blog/api`?"),
            ("zzz", "there is no slot shop/zzz\n  hint: see which there are: worker status --all"),
            (
                "agent@",
                "there is no slot shop/agent@\n  hint: agent is a template: name an instance, as agent@ID",
            ),
            (
                "agent@a b",
                "there is no slot shop/agent@a b\n  hint: what stands behind the @ is a name, and a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ . and begins with a letter or a digit",
            ),
        ] {
            check(&here, written, Err(refused));
        }
    }

    #[test]
    fn outside_of_a_project_a_bare_name_is_found_where_only_one_has_it() {
        check(&Here::Nowhere, "site", Ok("blog/site"));
        check(&Here::Nowhere, "agent@7", Ok("blog/agent@7"));
        check(
            &Here::Nowhere,
            "api",
            Err(
                "several slots are called api: blog/api, shop/api\n  hint: name it in full: blog/api",
            ),
        );
        check(
            &Here::Nowhere,
            "sote",
            Err("there is no slot sote\n  hint: did you mean `blog/site`?"),
        );
    }

    #[test]
    fn a_broken_file_stands_in_the_way_only_of_names_that_need_it() {
        let here = Here::Broken(Failure::new(Code::BadConfig, "there is an error in worker.toml"));
        check(&here, "site", Ok("blog/site"));
        check(&here, "shop/api", Ok("shop/api"));
        check(&here, "new", Err("there is an error in worker.toml"));
    }

    #[test]
    fn a_template_is_found_in_the_nearest_file_or_by_its_instances() {
        let (_folder, here) = shop();
        let known = ["blog/writer@1".to_owned()];
        let names = Names { here: &here, known: &known };
        let found = |written| names.template(written);
        assert_eq!(found("agent").as_deref(), Some("shop/agent"));
        assert_eq!(found("shop/agent").as_deref(), Some("shop/agent"));
        assert_eq!(found("blog/writer").as_deref(), Some("blog/writer"));
        for none in ["api", "writer", "blog/agent", "agent@1"] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn a_slot_that_is_named_twice_is_meant_once() {
        let (_folder, here) = shop();
        let names = Names { here: &here, known: &[] };
        let targets = names.find_all(&["api".to_owned(), "shop/api".to_owned()]).unwrap();
        assert_eq!(targets.len(), 1);
        assert!(targets[0].config.is_some(), "it stands in the nearest file");
    }
}
