//! What a shell offers where a slot or a project is meant.
//!
//! A key was pressed, and somebody waits: no daemon is started, none is waited for long, and what is
//! wrong is left to the verb to say.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use tokio::time::timeout;

use super::here::Here;
use super::names::slots_of;
use crate::api::SlotStatus;
use crate::client::{Client, block_on};
use crate::config::Config;
use crate::error::{Code, Failure};
use crate::slot_name::project_of;
use crate::state_dir::StateArgs;

/// So long the daemon has to answer.
const PATIENCE: Duration = Duration::from_millis(300);

/// Words, each with what there is to say of it.
type Words = BTreeMap<String, Option<&'static str>>;

/// Slots: of the nearest project by their short names, of all others in full.
pub(crate) fn slots() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        offered(current, |current| Known::look().slots(current, "@"))
    })
}

/// Slots, and templates for all of their instances.
pub(crate) fn slots_and_templates() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        offered(current, |current| Known::look().slots(current, ""))
    })
}

/// Projects.
pub(crate) fn projects() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offered(current, |_| Known::look().projects()))
}

fn offered(current: &OsStr, words: impl FnOnce(&str) -> Words) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let words = words(current).into_iter().filter(|(word, _)| word.starts_with(current));
    words.map(|(word, help)| CompletionCandidate::new(word).help(help.map(Into::into))).collect()
}

/// What names there are.
#[derive(Debug)]
struct Known {
    here: Option<Config>,
    slots: Vec<SlotStatus>,
}

impl Known {
    fn look() -> Self {
        let here = match Here::look() {
            Ok(Here::Project(project)) => Some(project.config),
            Ok(Here::Nowhere | Here::Broken(_)) | Err(_) => None,
        };
        Self { here, slots: slots_of_daemon().unwrap_or_default() }
    }

    /// `template_end`: what stands behind the name of a template.
    fn slots(&self, current: &str, template_end: &str) -> Words {
        let near = self.here.as_ref().map(|config| format!("{}/", config.project));
        let short = |name: &str| match &near {
            Some(near) if !current.contains('/') => {
                name.strip_prefix(near).unwrap_or(name).to_owned()
            }
            Some(_) | None => name.to_owned(),
        };
        let of_file = self.of_file(template_end).map(|name| (short(&name), None));
        let of_daemon = self.slots.iter().map(|slot| (short(&slot.slot), Some(slot.state.name())));
        of_file.chain(of_daemon).collect()
    }

    fn of_file(&self, template_end: &str) -> impl Iterator<Item = String> {
        self.here.iter().flat_map(move |config| {
            let templates = config.templates.keys();
            slots_of(config)
                .chain(templates.map(move |it| format!("{}/{it}{template_end}", config.project)))
        })
    }

    fn projects(&self) -> Words {
        let near = self.here.iter().map(|config| config.project.as_str());
        let others = self.slots.iter().map(|slot| project_of(&slot.slot));
        near.chain(others).map(|name| (name.to_owned(), None)).collect()
    }
}

fn slots_of_daemon() -> Result<Vec<SlotStatus>, Failure> {
    block_on(async {
        let client = Client::new(&StateArgs::default())?.without_start();
        let slots = timeout(PATIENCE, client.slots(None)).await;
        let too_late = |_| Failure::new(Code::TimedOut, "the daemon did not answer in time");
        Ok(slots.map_err(too_late)??.slots)
    })
}
