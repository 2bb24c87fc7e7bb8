//! Goes on where the daemon before ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use worker_core::{Ask, Failures, LaunchId};

use super::deaths;
use super::record::{Intent, Record};
use super::registry::Registry;
use super::requests::Way;
use super::{Daemon, Shared};
use crate::config;
use crate::error::{Code, Failure};
use crate::slot_name::project_of;

impl Daemon {
    /// Starts what is to run, and parks again what was parked. To be called once, when the loop runs.
    pub fn resume(&self) {
        let (bad, slots) = {
            let mut registry = self.registry();
            let bad = read_configs(&mut registry);
            let slots = registry.entries().map(|entry| (entry.name.clone(), entry.record.clone()));
            (bad, slots.collect::<Vec<_>>())
        };
        for (name, record) in slots {
            if record.lives {
                self.note_unseen(&name, &record);
            }
            match (record.past.failures, record.intent) {
                (Failures::Parked(_), _) => self.park(&name, &record),
                (Failures::None | Failures::Streak(_), Intent::Up) => {
                    self.go_on(&name, &record, &bad);
                }
                (Failures::None | Failures::Streak(_), Intent::Rest) => {}
            }
        }
    }

    /// Its run was not seen to end: the daemon was killed.
    fn note_unseen(&self, name: &Arc<str>, record: &Record) {
        let Shared { disk, state_dir, .. } = &*self.shared;
        deaths::keep(disk, state_dir, name, &deaths::unseen(record.run));
        let mut registry = self.registry();
        if let Ok(id) = registry.find(name) {
            registry.change(id, |entry| entry.record.lives = false);
        }
    }

    /// A parked slot executes nothing, whatever its configuration is now.
    fn park(&self, name: &str, record: &Record) {
        let registry = self.registry();
        let Ok(id) = registry.find(name) else { return };
        let spec = registry.entry(id).instance.as_ref().map(|instance| instance.slot.spec.clone());
        drop(registry);
        let spec = spec.unwrap_or_default();
        let launch = worker_core::Launch { id: LaunchId::new(0), spec };
        // That it is parked is known.
        drop(self.shared.driver.ask(id, Ask::Resume(launch, Box::new(record.past))));
    }

    fn go_on(&self, name: &str, record: &Record, bad: &BTreeMap<String, Failure>) {
        let project = project_of(name);
        let config = self.registry().project(project).map(|project| project.config.clone());
        let launch = match (config, bad.get(project)) {
            (_, Some(failure)) => Err(failure.clone()),
            (Some(config), None) => self.launch(name, &config, None),
            (None, None) => return,
        };
        match launch {
            Ok((id, launch)) => {
                let (daemon, going_on) =
                    (self.clone(), self.begin(id, launch, Way::Resume(record.past)));
                tokio::spawn(async move {
                    // What becomes of it is seen as that of any other slot; one that is never
                    // restarted stays at rest.
                    let cancelled =
                        going_on.await.is_err_and(|failure| failure.code == Code::Cancelled);
                    let mut registry = daemon.registry();
                    if cancelled && !registry.is_closing {
                        registry.intend(id, Intent::Rest);
                    }
                });
            }
            Err(failure) => self.not_gone_on(name, &failure),
        }
    }

    fn not_gone_on(&self, name: &str, failure: &Failure) {
        let mut registry = self.registry();
        let Ok(id) = registry.find(name) else { return };
        let words = format!("it was not started again: {}", failure.message);
        registry.entry_mut(id).is_kept_back(words);
    }
}

/// Reads the configurations of the projects that are known; answers what is wrong with some. Slots of
/// a project whose file is gone are forgotten, unless they are parked.
fn read_configs(registry: &mut Registry) -> BTreeMap<String, Failure> {
    let mut bad = BTreeMap::new();
    for (name, file) in registry.config_files().clone() {
        if !file.exists() {
            registry.unlist_resting(&name);
            continue;
        }
        let taken =
            config::load_regular(&file).and_then(|config| registry.take_config(&file, config));
        match taken {
            Ok(config) if config.project.as_str() == name => {
                registry.take_instances(&config);
                registry.unlist_removed(&name);
            }
            // The file is another project's now.
            Ok(_) => registry.unlist_resting(&name),
            Err(failure) => drop(bad.insert(name, failure)),
        }
    }
    bad
}
