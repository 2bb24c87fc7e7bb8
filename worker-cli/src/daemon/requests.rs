//! What is asked of a slot.

use std::future::ready;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use worker_core::{
    Ask, DownCause, LastError, LaunchId, Outcome, Parked, Past, PrepareFailure, Refusal, SlotId,
    StateName,
};

use super::record::{Intent, Variables};
use super::waiting::{self, Started, Waiting};
use super::{Daemon, outcome, registry};
use crate::api::{SlotStatus, StartRequest, StopRequest};
use crate::config::{self, Config, Launch};
use crate::driver::Answer;
use crate::error::{Code, Failure};
use crate::run::{breaker_message, in_words};
use crate::slot_name::project_of;

/// How a slot is brought up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Start,
    Restart,
    /// As the daemon before left it.
    Resume(Past),
}

impl Daemon {
    /// Starts a slot; answers when it is ready, or at once if that is asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why it is not, or not yet, ready.
    pub async fn start(&self, name: &str, request: StartRequest) -> Result<SlotStatus, Failure> {
        self.kept(self.bring_up(name, request, Way::Start)).await
    }

    /// Stops a slot, then starts it with an empty streak.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&self, name: &str, request: StartRequest) -> Result<SlotStatus, Failure> {
        self.kept(self.bring_up(name, request, Way::Restart)).await
    }

    /// Stops a slot; answers when its tree is gone, or at once if that is asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is none, or if its tree cannot be ended.
    pub async fn stop(&self, name: &str, request: StopRequest) -> Result<SlotStatus, Failure> {
        let id = self.registry().find(name)?;
        let stopping = self.stop_slot(id);
        let stopped = async {
            if !request.no_wait {
                stopping.await?;
            }
            self.one_shown(name).await
        };
        self.kept(stopped).await
    }

    /// Re-arms a parked slot.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it is not parked.
    pub async fn reset(&self, name: &str) -> Result<SlotStatus, Failure> {
        let id = self.registry().find(name)?;
        self.ask(id, Ask::Reset).await?;
        self.registry().intend(id, Intent::Rest);
        self.slot(name).await
    }

    /// Marks a slot as used.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it has no live run.
    pub async fn touch(&self, name: &str) -> Result<SlotStatus, Failure> {
        let id = self.registry().find(name)?;
        self.ask(id, Ask::Touch).await?;
        self.slot(name).await
    }

    async fn bring_up(
        &self,
        name: &str,
        request: StartRequest,
        way: Way,
    ) -> Result<SlotStatus, Failure> {
        let StartRequest { config, env, no_wait } = request;
        self.refuse_parked(name).await?;
        let config = self.config(project_of(name), config).await?;
        let (id, launch) = self.launch(name, &config, env.as_ref())?;
        let starting = self.begin(id, launch, way);
        if no_wait {
            tokio::spawn(starting);
            // Lets it ask, so that the answer shows what was asked for.
            tokio::task::yield_now().await;
        } else {
            starting.await?;
        }
        self.one_shown(name).await
    }

    /// Before anything else happens.
    async fn refuse_parked(&self, name: &str) -> Result<(), Failure> {
        let Ok(id) = self.registry().find(name) else { return Ok(()) };
        let view = self.shared.driver.look_at(id).await;
        match view.and_then(|view| view.last_error) {
            Some(LastError::Parked(parked)) => {
                let refused = Outcome::Refused(Refusal::Parked(parked));
                outcome::check(name, Some(refused), "")
            }
            Some(LastError::Down(_) | LastError::Unkillable) | None => Ok(()),
        }
    }

    /// The configuration in this file, else the one that the project had last.
    pub(super) async fn config(
        &self,
        project: &str,
        file: Option<PathBuf>,
    ) -> Result<Arc<Config>, Failure> {
        let Some(file) = file else {
            let registry = self.registry();
            let known = registry.project(project).map(|project| Arc::clone(&project.config));
            return known.ok_or_else(|| no_project(project));
        };
        let config = read(file.clone()).await?;
        check_project(project, &config)?;
        self.registry().take_config(&file, config)
    }

    /// What a start of the slot executes.
    pub(super) fn launch(
        &self,
        name: &str,
        config: &Config,
        env: Option<&Variables>,
    ) -> Result<(SlotId, Launch), Failure> {
        let instance = registry::instance(config, name)?;
        let mut registry = self.registry();
        let id = registry.id_of(name)?;
        let base = registry.base(id, env);
        let launch = instance.clone().launch(base)?;
        let entry = registry.entry_mut(id);
        entry.is_listed = true;
        // One that runs is what it was started as until it is started anew.
        entry.instance.get_or_insert(instance);
        Ok((id, launch))
    }

    /// Brings a slot up, after those that it depends on.
    pub(super) fn begin(
        &self,
        id: SlotId,
        launch: Launch,
        way: Way,
    ) -> Pin<Box<dyn Future<Output = Started> + Send>> {
        {
            let mut registry = self.registry();
            if registry.is_closing {
                return Box::pin(ready(Err(outcome::shutting_down())));
            }
            registry.intend(id, Intent::Up);
        }
        let needs = launch.instance.depends_on();
        if needs.is_empty() {
            return Box::pin(self.ask_start(id, launch, way));
        }
        let daemon = self.clone();
        Box::pin(async move {
            if !daemon.waits_first(id, way).await {
                return daemon.ask_start(id, launch, way).await;
            }
            let name = launch.instance.full_name();
            let listener = daemon.wait_for(id, launch, needs, way);
            waiting::outcome(listener, &name).await
        })
    }

    /// Whether those that it depends on have to be ready first: not where it runs, or will by itself,
    /// and is to go on.
    async fn waits_first(&self, id: SlotId, way: Way) -> bool {
        let is_waiting = self.registry().entry(id).waiting.is_some();
        is_waiting || matches!(way, Way::Restart) || self.begins_anew(id).await
    }

    /// Whether a start of it is a first one: at rest, or in error.
    async fn begins_anew(&self, id: SlotId) -> bool {
        let view = self.shared.driver.look_at(id).await;
        view.is_none_or(|view| view.state == StateName::Error)
    }

    /// Joins the start that waits already, or waits. A restart takes the place of such a start.
    fn wait_for(
        &self,
        id: SlotId,
        launch: Launch,
        needs: Vec<String>,
        way: Way,
    ) -> waiting::Listener {
        let mut registry = self.registry();
        let entry = registry.entry_mut(id);
        if let (Some(waiting), Way::Start | Way::Resume(_)) = (&entry.waiting, way) {
            return waiting.listen();
        }
        if let Some(waiting) = entry.waiting.take() {
            waiting.cancel(&entry.name);
        }
        let (outcome, listener) = watch::channel(None);
        let (daemon, told) = (self.clone(), outcome.clone());
        let project = launch.instance.project.as_str().to_owned();
        let needs: Vec<String> = needs.iter().map(|name| format!("{project}/{name}")).collect();
        let for_slots = needs.clone();
        let task = tokio::spawn(async move {
            let started = daemon.start_after(id, launch, needs, way).await;
            told.send_replace(Some(started));
        });
        let entry = registry.entry_mut(id);
        entry.is_blocked = false;
        entry.waiting = Some(Waiting::new(for_slots, outcome, task.abort_handle()).into());
        listener
    }

    async fn start_after(
        &self,
        id: SlotId,
        launch: Launch,
        needs: Vec<String>,
        way: Way,
    ) -> Started {
        let ready = self.start_all(needs, launch.variables()).await;
        // From here on a stop is the core's to hear of.
        self.registry().entry_mut(id).waiting = None;
        match ready {
            Ok(()) => self.ask_start(id, launch, way).await,
            Err(failure) => Err(self.block(id, failure).await),
        }
    }

    async fn start_all(&self, needs: Vec<String>, env: Variables) -> Started {
        let mut starts = JoinSet::new();
        for name in needs {
            let (daemon, env) = (self.clone(), Some(env.clone()));
            starts.spawn(async move {
                let request = StartRequest { env, ..StartRequest::default() };
                daemon.bring_up(&name, request, Way::Start).await.map(drop)
            });
        }
        let mut outcome = Ok(());
        while let (Some(started), Ok(())) = (starts.join_next().await, &outcome) {
            outcome = started.unwrap_or_else(|_| Err(outcome::shutting_down()));
        }
        // The others start all the same.
        starts.detach_all();
        outcome
    }

    /// A slot that it depends on is not ready, so that it is not started; what runs goes on.
    async fn block(&self, id: SlotId, because: Failure) -> Failure {
        let is_at_rest = self.begins_anew(id).await;
        let mut registry = self.registry();
        if is_at_rest {
            if !registry.is_closing {
                registry.intend(id, Intent::Rest);
            }
            registry.entry_mut(id).is_kept_back(format!("it was not started: {}", because.message));
        }
        let what = if is_at_rest { "started" } else { "restarted" };
        let message = format!("{} was not {what}: {}", registry.entry(id).name, because.message);
        Failure { message, ..because }
    }

    /// Asks at once, and answers when it is ready. What waits for that is small: many may be started
    /// at the same time.
    fn ask_start(
        &self,
        id: SlotId,
        launch: Launch,
        way: Way,
    ) -> impl Future<Output = Started> + use<> {
        let (launch, ask) = self.start_of(id, launch, way);
        let answer = self.shared.driver.ask(id, ask);
        let daemon = self.clone();
        async move {
            let started = daemon.answered(id, answer).await;
            daemon.drop_unless_in_use(id, launch).await;
            started
        }
    }

    fn start_of(&self, id: SlotId, launch: Launch, way: Way) -> (LaunchId, Ask) {
        let mut registry = self.registry();
        let entry = registry.entry_mut(id);
        entry.is_blocked = false;
        let is_prepared = entry.is_prepared(&launch.dir);
        let spec = launch.spec(is_prepared);
        let launch = worker_core::Launch { id: registry.add_launch(id, launch), spec };
        let number = launch.id;
        let ask = match way {
            Way::Start => Ask::Start(launch),
            Way::Restart => Ask::Restart(launch),
            Way::Resume(past) => Ask::Resume(launch, Box::new(past)),
        };
        (number, ask)
    }

    /// A start that joined another one, or was refused, has no use for what it would have executed.
    async fn drop_unless_in_use(&self, id: SlotId, launch: LaunchId) {
        let view = self.shared.driver.look_at(id).await;
        if view.is_none_or(|view| view.launch != launch) {
            self.registry().drop_launch(id, launch);
        }
    }

    async fn ask(&self, id: SlotId, ask: Ask) -> Started {
        let answer = self.shared.driver.ask(id, ask);
        self.answered(id, answer).await
    }

    async fn answered(&self, id: SlotId, answer: Answer) -> Started {
        let outcome = answer.await.ok();
        let cause = match outcome {
            Some(Outcome::StartFailed(cause)) => Box::pin(self.cause(id, cause)).await,
            Some(Outcome::Parked(parked)) => Box::pin(self.cause_of_parking(id, parked)).await,
            Some(_) | None => String::new(),
        };
        outcome::check(&self.registry().entry(id).name, outcome, &cause)
    }

    /// Why a start failed, with the last lines of its output. Who waits hears of that before the
    /// tree is gone.
    async fn cause(&self, id: SlotId, cause: DownCause) -> String {
        if has_no_process(cause) {
            let registry = self.registry();
            let known = registry.entry(id).words_for(cause);
            return known.map_or_else(|| in_words(cause), str::to_owned);
        }
        self.with_output(id, in_words(cause)).await
    }

    /// Why a start parked its slot, with the last lines of its output.
    async fn cause_of_parking(&self, id: SlotId, parked: Parked) -> String {
        let words = breaker_message(parked);
        if has_no_process(parked.last) { words } else { self.with_output(id, words).await }
    }

    async fn with_output(&self, id: SlotId, words: String) -> String {
        let output = self.shared.host.output(id).await;
        let output = output.unwrap_or_else(|| self.registry().entry(id).dying.output().to_vec());
        outcome::with_output(words, &output)
    }

    /// Asks at once, and answers when the tree is gone.
    pub(super) fn stop_slot(&self, id: SlotId) -> impl Future<Output = Started> + use<> {
        let name = self.cancel_start(id);
        let answer = self.shared.driver.ask(id, Ask::Stop);
        async move { outcome::check(&name, answer.await.ok(), "") }
    }

    fn cancel_start(&self, id: SlotId) -> Arc<str> {
        let mut registry = self.registry();
        registry.intend(id, Intent::Rest);
        let entry = registry.entry_mut(id);
        let name = Arc::clone(&entry.name);
        if let Some(waiting) = entry.waiting.take() {
            waiting.cancel(&name);
        }
        name
    }

    pub(super) fn cancel_waiting(&self) {
        let mut registry = self.registry();
        let ids: Vec<SlotId> = registry.entries().map(|entry| entry.id).collect();
        for id in ids {
            let entry = registry.entry_mut(id);
            if let Some(waiting) = entry.waiting.take() {
                waiting.cancel(&entry.name);
            }
        }
    }
}

/// It said nothing, since it was never there.
fn has_no_process(cause: DownCause) -> bool {
    matches!(cause, DownCause::SpawnFailed(_) | DownCause::PrepareFailed(PrepareFailure::Spawn(_)))
}

/// Reads a configuration, away from the task that supervises.
pub(super) async fn read(file: PathBuf) -> Result<Config, Failure> {
    let read = tokio::task::spawn_blocking(move || config::load_regular(&file)).await;
    read.unwrap_or_else(|_| Err(outcome::shutting_down()))
}

pub(super) fn check_project(name: &str, config: &Config) -> Result<(), Failure> {
    if config.project.as_str() == name {
        return Ok(());
    }
    let message = format!("this configuration is that of `{}`, not of `{name}`", config.project);
    Err(Failure::new(Code::BadConfig, message))
}

pub(super) fn no_project(name: &str) -> Failure {
    Failure::new(Code::NoSuchSlot, format!("there is no project `{name}`"))
        .hint("start it from its folder: worker up")
}
