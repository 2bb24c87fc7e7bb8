//! What is asked of a project.

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::Pin;

use tokio::task::JoinSet;
use worker_core::{SlotId, SlotView, StateName};
use worker_platform_unix::allocator;

use super::Daemon;
use super::record::{Intent, Variables};
use super::registry::{Entry, Registry};
use super::requests::{self, Way};
use super::waiting::Started;
use crate::api::{self, Change, Down, ErrorBody, SlotStatus, StopRequest, Up, UpRequest, UpSlot};
use crate::config::{Config, Start};
use crate::error::Failure;
use crate::slot_name::short;

impl Daemon {
    /// Applies a configuration, and starts its eager slots: new slots start, removed ones stop,
    /// changed ones restart if they ran, and the others are left alone.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the configuration cannot be used; nothing has changed then. What goes wrong
    /// with single slots stands in the answer.
    pub async fn up(&self, project: &str, request: UpRequest) -> Result<Up, Failure> {
        let UpRequest { config: file, env, no_wait } = request;
        // Before the file is read, so that nobody applies an older one last.
        let one_at_a_time = self.shared.applying.lock().await;
        let config = requests::read(file.clone()).await?;
        requests::check_project(project, &config)?;
        let running = self.running().await;
        let (changes, config) = {
            let mut registry = self.registry();
            let changes = changes(&registry, &config);
            (changes, registry.take_config(&file, config)?)
        };
        let mut begun = Vec::with_capacity(changes.len());
        for (name, change) in changes.clone() {
            let id = self.registry().find(&name)?;
            let step = step(&config, &name, change, running.contains(&id));
            self.registry().entry_mut(id).follows(&config, step);
            let done = self.take(step, id, &name, &config, env.as_ref());
            begun.push((name, change, done));
        }
        drop(one_at_a_time);
        // Only now, so that what goes when all is done does not lie between what stays.
        let waits =
            begun.into_iter().map(|(name, change, done)| async move { (name, change, done.await) });
        let mut work: JoinSet<_> = waits.collect();
        let mut done = if no_wait {
            work.detach_all();
            // Lets them ask, so that the answer shows what was asked for.
            tokio::task::yield_now().await;
            changes.into_iter().map(|(name, change)| (name, change, Ok(()))).collect()
        } else {
            work.join_all().await
        };
        done.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let slots = self.report(done).await;
        // Reading a large configuration and starting many at once takes far more than what is kept.
        allocator::give_back_memory();
        Ok(Up { v: api::VERSION, project: project.to_owned(), slots })
    }

    /// Begins one step; the answer tells how it ended.
    fn take(
        &self,
        step: Step,
        id: SlotId,
        name: &str,
        config: &Config,
        env: Option<&Variables>,
    ) -> Pin<Box<dyn Future<Output = Started> + Send>> {
        match step {
            Step::Nothing => Box::pin(ready(Ok(()))),
            Step::Remove => {
                let (daemon, stopped) = (self.clone(), self.stop_slot(id));
                Box::pin(async move {
                    stopped.await?;
                    daemon.registry().unlist_unless_configured(id);
                    Ok(())
                })
            }
            Step::Bring(way) => match self.launch(name, config, env) {
                Ok((id, launch)) => self.begin(id, launch, way),
                Err(failure) => Box::pin(ready(Err(failure))),
            },
        }
    }

    /// As they are at one moment: one look at all of them, however many there are.
    async fn report(&self, done: Vec<(String, Change, Started)>) -> Vec<UpSlot> {
        let statuses = self.slots().await.slots.into_iter();
        let mut statuses: BTreeMap<String, SlotStatus> =
            statuses.map(|status| (status.slot.clone(), status)).collect();
        let done = done.into_iter().map(|(slot, change, started)| {
            let status = statuses.remove(&slot);
            UpSlot { slot, change, status, error: started.err().map(ErrorBody::from) }
        });
        done.collect()
    }

    /// Stops all slots of a project, those first that depend on others.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no such project, or if a tree cannot be ended.
    pub async fn down(&self, project: &str, request: StopRequest) -> Result<Down, Failure> {
        if !self.registry().knows_project(project) {
            return Err(requests::no_project(project));
        }
        let running = self.running().await;
        let slots = self.registry().slots_of(project);
        let was_running =
            |name: &&String| self.registry().find(name).is_ok_and(|id| running.contains(&id));
        let stopped = slots.iter().filter(was_running).cloned().collect();
        let daemon = self.clone();
        let stopping = async move { daemon.stop_in_order(slots).await };
        if request.no_wait {
            tokio::spawn(stopping);
        } else {
            self.kept(stopping).await?;
        }
        Ok(Down { v: api::VERSION, stopped })
    }

    /// Stops everything, for good: no slot comes back by itself. The process ends after the answer.
    pub async fn shutdown(&self) -> Down {
        let running = self.running().await;
        let stopped = {
            let mut registry = self.registry();
            registry.is_closing = true;
            let ids: Vec<SlotId> = registry.entries().map(|entry| entry.id).collect();
            for id in ids {
                registry.intend(id, Intent::Rest);
            }
            let names = registry.entries().filter(|entry| running.contains(&entry.id));
            names.map(|entry| entry.name.to_string()).collect()
        };
        self.kept(self.close(worker_core::Urgency::Orderly)).await;
        Down { v: api::VERSION, stopped }
    }

    /// Those on which none depends that is still to be stopped, again and again.
    async fn stop_in_order(&self, mut slots: Vec<String>) -> Started {
        let mut outcome = Ok(());
        while !slots.is_empty() {
            let needed = self.needed_by(&slots);
            let (later, now): (Vec<String>, Vec<String>) =
                slots.into_iter().partition(|name| needed.contains(name));
            // All need each other only in a circle, which a checked configuration does not have.
            let (later, now) = if now.is_empty() { (now, later) } else { (later, now) };
            slots = later;
            outcome = outcome.and(self.stop_all(&now).await);
        }
        outcome
    }

    async fn stop_all(&self, slots: &[String]) -> Started {
        let ids: Vec<SlotId> =
            slots.iter().filter_map(|name| self.registry().find(name).ok()).collect();
        let mut stops: JoinSet<Started> = ids.into_iter().map(|id| self.stop_slot(id)).collect();
        let mut outcome = Ok(());
        while let Some(stopped) = stops.join_next().await {
            outcome = outcome.and(stopped.unwrap_or(Ok(())));
        }
        outcome
    }

    /// The names in full of what these depend on.
    fn needed_by(&self, slots: &[String]) -> Vec<String> {
        let registry = self.registry();
        let ids = slots.iter().filter_map(|name| registry.find(name).ok());
        let instances = ids.filter_map(|id| registry.entry(id).instance.as_ref());
        let needs = instances.flat_map(|instance| {
            let project = instance.project.as_str();
            instance.depends_on().into_iter().map(move |name| format!("{project}/{name}"))
        });
        needs.collect()
    }

    /// The slots that are not at rest, nor parked, nor in error. Those that wait count.
    async fn running(&self) -> Vec<SlotId> {
        let views = self.shared.driver.look().await.map(|views| views.slots).unwrap_or_default();
        let is_settled =
            |view: &SlotView| matches!(view.state, StateName::Failed | StateName::Error);
        let running = views.into_iter().filter(|(_, view)| !is_settled(view)).map(|(id, _)| id);
        let registry = self.registry();
        let waiting = registry.entries().filter(|entry| entry.waiting.is_some());
        running.chain(waiting.map(|entry| entry.id)).collect()
    }
}

/// What is to be done about a slot.
#[derive(Clone, Copy, Debug)]
enum Step {
    Nothing,
    Bring(Way),
    Remove,
}

impl Entry {
    /// What is at rest, and stays so, is from now on what the configuration says.
    fn follows(&mut self, config: &Config, step: Step) {
        if let Step::Nothing = step {
            self.instance = config.instance(short(&self.name));
        }
    }
}

/// What is running is only touched where the configuration is another one.
fn step(config: &Config, name: &str, change: Change, is_running: bool) -> Step {
    let is_eager =
        config.instance(short(name)).is_some_and(|instance| instance.slot.start == Start::Eager);
    match (change, is_running) {
        (Change::Removed, _) => Step::Remove,
        (Change::Changed, true) => Step::Bring(Way::Restart),
        (Change::New | Change::Changed | Change::Unchanged, _) if is_eager => {
            Step::Bring(Way::Start)
        }
        (Change::New | Change::Changed | Change::Unchanged, _) => Step::Nothing,
    }
}

/// Every slot of the project, and what the configuration makes of it.
fn changes(registry: &Registry, config: &Config) -> Vec<(String, Change)> {
    let project = config.project.as_str();
    let names = config.slots.keys().map(|slot| format!("{project}/{slot}"));
    let new = names.filter(|name| registry.find(name).is_err()).map(|name| (name, Change::New));
    let known = registry.slots_of(project).into_iter().filter_map(|name| {
        let entry = registry.entry(registry.find(&name).ok()?);
        Some((name, change(entry, config)))
    });
    new.chain(known).collect()
}

fn change(entry: &Entry, config: &Config) -> Change {
    match (&entry.instance, config.instance(short(&entry.name))) {
        (_, None) => Change::Removed,
        (None, Some(_)) => Change::New,
        (Some(before), Some(after)) if before.slot == after.slot => Change::Unchanged,
        (Some(_), Some(_)) => Change::Changed,
    }
}
