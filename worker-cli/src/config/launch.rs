//! What the runs of a slot execute, with every placeholder replaced.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use worker_core::{Block, SlotOptions, Spec};

use super::name::Name;
use super::slot::{Config, Look, Slot};
use super::text::{Text, Values};
use crate::env_file::{EnvFileError, read_regular_env_file};
use crate::error::{Code, Failure};
use crate::plan::Environment;
use crate::probe::{Probe, parse_http, parse_log, parse_port};

/// A slot, or an instance of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The project's name.
    pub project: Name,
    /// The name within the project: `api`, `agent@proj-42`.
    pub name: Arc<str>,
    /// What stands behind the `@`; none for a slot.
    pub id: Option<Name>,
    /// What the configuration says of it.
    pub slot: Arc<Slot>,
}

/// One start of a slot. The ports are missing, which differ from run to run.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What is started.
    pub instance: Instance,
    /// The folder to run in, absolute.
    pub dir: PathBuf,
    /// What to run before the first spawn: program and arguments; empty for nothing.
    pub prepare: Vec<OsString>,
    /// The environment of whoever asked for the start. Launches share it.
    base: Arc<[(OsString, OsString)]>,
    /// What stands in the environment files.
    from_files: Vec<(String, String)>,
}

/// Liveness. How many failures are one too many stands in the policies.
#[derive(Clone, Debug)]
pub struct AliveProbe {
    /// What to look at.
    pub probe: Probe,
    /// How often.
    pub every: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Config {
    /// The slot `api`, or the instance `agent@proj-42` of a template. None if there is no such slot
    /// or template, or if the id cannot be one.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<Instance> {
        let (name, id, slot) = match name.split_once('@') {
            Some((template, id)) => {
                (name.into(), Some(Name::parse(id).ok()?), self.templates.get(template)?)
            }
            None => {
                let (name, slot) = self.slots.get_key_value(name)?;
                (name.shared(), None, slot)
            }
        };
        Some(Instance { project: self.project.clone(), name, id, slot: Arc::clone(slot) })
    }
}

impl Instance {
    /// The name in full: `shop/api`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.project, self.name)
    }

    /// The names of the slots that must be ready before, within the project.
    #[must_use]
    pub fn depends_on(&self) -> Vec<String> {
        let values = self.values("", 0);
        self.slot.depends_on.iter().map(|name| name.expand(values)).collect()
    }

    /// What a start needs, from the environment of whoever asks for it. Reads the environment
    /// files.
    ///
    /// # Errors
    ///
    /// [`Failure`] names the file that cannot be used.
    pub fn launch(self, base: Arc<[(OsString, OsString)]>) -> Result<Launch, Failure> {
        let dir = self.slot.dir.expand(self.values("", 0));
        let values = self.values(&dir, 0);
        let mut from_files = Vec::new();
        for file in &self.slot.env_files {
            let variables = read_regular_env_file(Path::new(&file.expand(values)));
            from_files.extend(variables.map_err(|error| self.bad_env_file(&error))?);
        }
        let prepare = expand(&self.slot.prepare, values);
        Ok(Launch { dir: dir.into(), prepare, base, from_files, instance: self })
    }

    fn values<'a>(&'a self, dir: &'a str, first_port: u16) -> Values<'a> {
        let id = self.id.as_ref().map_or("", Name::as_str);
        Values { project: self.project.as_str(), slot: &self.name, id, dir, first_port }
    }

    fn bad_env_file(&self, error: &EnvFileError) -> Failure {
        let hint = match error {
            EnvFileError::Unreadable { .. } => "write the file, or change `env_file`",
            EnvFileError::BadLine { .. } => "mend this line; nothing was started",
        };
        let message = format!("env_file of {}: {error}", self.full_name());
        Failure::new(Code::BadConfig, message).hint(hint)
    }
}

impl Launch {
    /// The policies. What `is_prepared` is not prepared once more.
    #[must_use]
    pub fn spec(&self, is_prepared: bool) -> Spec {
        let spec = &self.instance.slot.spec;
        if !is_prepared || spec.options().prepare.is_none() {
            return spec.clone();
        }
        // What holds together with a preparation holds together without one.
        let without = SlotOptions { prepare: None, ..spec.options().clone() };
        without.build().unwrap_or_else(|_| spec.clone())
    }

    /// Whether this very list is the environment of whoever asked for the start.
    #[must_use]
    pub fn builds_on(&self, base: &Arc<[(OsString, OsString)]>) -> bool {
        Arc::ptr_eq(&self.base, base)
    }

    /// The environment of whoever asked for the start.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let text = |text: &OsString| text.to_string_lossy().into_owned();
        self.base.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The program of the run that got these ports, and its arguments; never empty.
    #[must_use]
    pub fn command(&self, block: Option<Block>) -> Vec<OsString> {
        self.with_values(block, |values| expand(&self.instance.slot.command, values))
    }

    /// The environment of the run that got these ports, but for what worker itself sets.
    #[must_use]
    pub fn environment(&self, block: Option<Block>) -> Vec<(OsString, OsString)> {
        let mut env = Environment::of(self.base.to_vec());
        env.extend(self.from_files.iter().cloned());
        self.with_values(block, |values| {
            let own = self.instance.slot.env.iter();
            env.extend(own.map(|(name, text)| (name.clone(), text.expand(values))));
        });
        env.into_variables()
    }

    /// How to see that the run that got these ports is ready; none if it is so as soon as it is
    /// spawned.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the probe makes no sense with these values, which a checked configuration and
    /// a block of the right size do not lead to.
    pub fn ready(&self, block: Option<Block>) -> Result<Option<Probe>, Failure> {
        let look = self.instance.slot.ready.as_ref();
        look.map(|look| self.probe(look, block)).transpose()
    }

    /// How to see that it is still well; none if nobody looks.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    pub fn alive(&self, block: Option<Block>) -> Result<Option<AliveProbe>, Failure> {
        let Some(alive) = &self.instance.slot.alive else { return Ok(None) };
        let probe = self.probe(&alive.look, block)?;
        Ok(Some(AliveProbe { probe, every: alive.every, timeout: alive.timeout }))
    }

    fn probe(&self, look: &Look, block: Option<Block>) -> Result<Probe, Failure> {
        self.with_values(block, |values| probe(look, values)).map_err(bad_probe)
    }

    fn with_values<T>(&self, block: Option<Block>, of: impl FnOnce(Values<'_>) -> T) -> T {
        let dir = self.dir.to_string_lossy();
        of(self.instance.values(&dir, block.map_or(0, Block::first)))
    }
}

fn probe(look: &Look, values: Values<'_>) -> Result<Probe, String> {
    match look {
        Look::Http(target) => parse_http(&target.expand(values)),
        Look::Tcp(None) => Ok(Probe::Tcp { port: None }),
        Look::Tcp(Some(port)) => {
            parse_port(&port.expand(values)).map(|port| Probe::Tcp { port: Some(port) })
        }
        Look::Log(pattern) => parse_log(pattern).map(Probe::Log),
        Look::Exec(words) => {
            Ok(Probe::Exec(words.iter().map(|word| word.expand(values)).collect()))
        }
        Look::Notify => Ok(Probe::Notify),
    }
}

fn bad_probe(why: String) -> Failure {
    Failure::new(Code::BadConfig, format!("the probe cannot be used: {why}"))
}

fn expand(words: &[Text], values: Values<'_>) -> Vec<OsString> {
    words.iter().map(|word| word.expand(values).into()).collect()
}
