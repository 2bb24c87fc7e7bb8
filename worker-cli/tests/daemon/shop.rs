//! A daemon with the project `shop`, whose slots are small programs for `sh`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use worker_cli::api::{
    EventsQuery, LogsQuery, SlotStatus, StartRequest, State, StopRequest, Up, UpRequest, UpSlot,
    Why,
};
use worker_cli::client::{Client, block_on};
use worker_cli::error::Failure;

use crate::common::{Daemon, Scene, eventually, send_signal};

/// What a slot gets that is to run for good.
pub(crate) const SLEEP: &str = "command = [\"sleep\", \"1000\"]";

/// The daemon, and how to speak of its slots by their names within the project.
pub(crate) struct Shop {
    daemon: Option<Daemon>,
    pub(crate) client: Client,
    pub(crate) scene: Scene,
}

impl Shop {
    /// A daemon, and a `worker.toml` with this in it that it has not read yet.
    pub(crate) fn new(text: &str) -> Self {
        Self::at(Scene::new(), text)
    }

    /// The same in a scene of its own making.
    pub(crate) fn at(scene: Scene, text: &str) -> Self {
        Self::with(scene.daemon(), scene, text)
    }

    /// The same with a daemon that was started otherwise.
    pub(crate) fn with(daemon: Daemon, scene: Scene, text: &str) -> Self {
        let client = scene.client().without_start();
        let shop = Self { daemon: Some(daemon), client, scene };
        shop.write(text);
        shop
    }

    /// A file of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scene.scratch().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until the file holds this. What has just been spawned may not have written it yet.
    #[track_caller]
    pub(crate) fn await_text(&self, name: &str, text: &str) {
        let is_longer = || self.read(name).len() >= text.len();
        eventually(&format!("{text:?} in {name}"), is_longer);
        assert_eq!(self.read(name), text);
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path("worker.toml"), format!("project = \"shop\"\n{text}")).unwrap();
    }

    /// Makes a file that a slot waits for.
    pub(crate) fn open_gate(&self, name: &str) {
        fs::write(self.path(name), "").unwrap();
    }

    pub(crate) fn up_request(&self) -> UpRequest {
        UpRequest { config: self.path("worker.toml"), env: Some(env(&[])), no_wait: false }
    }

    /// Each with its slot's name within the project.
    pub(crate) fn try_up(&self) -> Result<BTreeMap<String, UpSlot>, Failure> {
        let Up { slots, .. } = block_on(self.client.up("shop", &self.up_request()))?;
        let short = |slot: &UpSlot| slot.slot.trim_start_matches("shop/").to_owned();
        Ok(slots.into_iter().map(|slot| (short(&slot), slot)).collect())
    }

    #[track_caller]
    pub(crate) fn up(&self) -> BTreeMap<String, UpSlot> {
        self.try_up().unwrap()
    }

    pub(crate) fn start_request(&self) -> StartRequest {
        let config = Some(self.path("worker.toml"));
        StartRequest { config, env: Some(env(&[])), no_wait: false }
    }

    pub(crate) fn start(&self, slot: &str) -> Result<SlotStatus, Failure> {
        block_on(self.client.start(&full(slot), &self.start_request()))
    }

    #[track_caller]
    pub(crate) fn start_no_wait(&self, slot: &str) -> SlotStatus {
        let request = StartRequest { no_wait: true, ..self.start_request() };
        block_on(self.client.start(&full(slot), &request)).unwrap()
    }

    /// Asks for a start, and hands back what it comes to.
    pub(crate) fn starting(
        &self,
        slot: &str,
    ) -> std::thread::JoinHandle<Result<SlotStatus, Failure>> {
        let (client, request, slot) = (self.client.clone(), self.start_request(), full(slot));
        std::thread::spawn(move || block_on(client.start(&slot, &request)))
    }

    pub(crate) fn stop(&self, slot: &str) -> SlotStatus {
        block_on(self.client.stop(&full(slot), StopRequest::default())).unwrap()
    }

    pub(crate) fn slot(&self, slot: &str) -> SlotStatus {
        block_on(self.client.slot(&full(slot))).unwrap()
    }

    pub(crate) fn state(&self, slot: &str) -> State {
        self.slot(slot).state
    }

    #[track_caller]
    pub(crate) fn pid(&self, slot: &str) -> i32 {
        self.slot(slot).pid.unwrap()
    }

    pub(crate) fn why(&self, slot: &str) -> Why {
        block_on(self.client.why(&full(slot))).unwrap()
    }

    pub(crate) fn env(&self, slot: &str) -> BTreeMap<String, String> {
        block_on(self.client.env(&full(slot))).unwrap().env
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        block_on(self.client.slots(None)).unwrap().warnings
    }

    #[track_caller]
    pub(crate) fn await_state(&self, slot: &str, state: State) -> SlotStatus {
        let is_so = || block_on(self.client.slot(&full(slot))).is_ok_and(|it| it.state == state);
        eventually(&format!("{slot} to be {state:?}"), is_so);
        self.slot(slot)
    }

    /// The first event of this kind, past or to come.
    pub(crate) fn await_event(&self, slot: &str, kind: &str) -> Value {
        self.await_nth_event(slot, kind, 1)
    }

    /// The event of this kind that comes after so many others, less one.
    pub(crate) fn await_nth_event(&self, slot: &str, kind: &str, nth: usize) -> Value {
        let query = EventsQuery { slot: Some(full(slot)), ..EventsQuery::default() };
        let event = block_on(async {
            let mut events = self.client.events(&query, Some(0)).await?;
            let mut seen = 0;
            loop {
                let event = events.next().await?.expect("the daemon lives");
                let line: Value = serde_json::from_str(&event.line).unwrap();
                seen += usize::from(line["event"] == kind);
                if seen == nth {
                    return Ok(line);
                }
            }
        });
        event.unwrap()
    }

    /// The lines of its log.
    pub(crate) fn log(&self, slot: &str) -> Vec<String> {
        let query = LogsQuery::default();
        let lines = block_on(async {
            let mut logs = self.client.logs(&full(slot), &query).await?;
            let mut lines = Vec::new();
            while let Some(line) = logs.next().await? {
                let line: Value = serde_json::from_str(&line).unwrap();
                lines.push(line["line"].as_str().unwrap_or_default().to_owned());
            }
            Ok(lines)
        });
        lines.unwrap()
    }

    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("a daemon")
    }

    /// Ends the daemon in order; answers what it still said.
    #[track_caller]
    pub(crate) fn end(&mut self) -> String {
        let daemon = self.daemon.take().expect("a daemon");
        send_signal(daemon.guardian(), "TERM");
        let (code, said) = daemon.finish();
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// The next daemon.
    pub(crate) fn begin(&mut self) {
        self.daemon = Some(self.scene.daemon());
    }

    /// Ends the daemon in order, and starts the next one.
    #[track_caller]
    pub(crate) fn again(&mut self) {
        self.end();
        self.begin();
    }

    /// Kills the daemon and its guardian at the same moment.
    pub(crate) fn kill_both(&mut self) {
        let daemon = self.daemon.take().expect("a daemon");
        let (guardian, supervisor) = (daemon.guardian(), daemon.supervisor());
        for (pid, signal) in
            [(guardian, "STOP"), (supervisor, "STOP"), (supervisor, "KILL"), (guardian, "KILL")]
        {
            send_signal(pid, signal);
        }
        drop(daemon.finish());
    }

    /// Waits for the end of a daemon that was told to.
    pub(crate) fn finish(&mut self) {
        drop(self.daemon.take().expect("a daemon").finish());
    }

    /// What the daemon said until it listened.
    pub(crate) fn said(&self) -> &str {
        self.daemon.as_ref().expect("a daemon").said()
    }
}

/// `PATH`, and these.
pub(crate) fn env(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let path = ("PATH".to_owned(), std::env::var("PATH").unwrap());
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    [path].into_iter().chain(more).collect()
}

/// The name in full.
pub(crate) fn full(slot: &str) -> String {
    format!("shop/{slot}")
}

/// Whether the process is there, and no zombie.
pub(crate) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The processes whose environment has this.
pub(crate) fn with_variable(pair: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let environ = fs::read(Path::new("/proc").join(pid.to_string()).join("environ"));
        environ.is_ok_and(|environ| environ.split(|b| *b == 0).any(|it| it == pair.as_bytes()))
    })
    .collect()
}
