//! What the driver of the daemon needs beside the platform.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use worker_core::{
    Block, LaunchId, Program, Report, RunId, SlotId, SpawnError, SpawnFailure, TreeEnd,
};
use worker_platform_unix::{Command, Leader, Output, UnixPlatform};

use super::registry::Registry;
use crate::config::{AliveProbe, Launch};
use crate::driver::{Host, Reporter, RunKey};
use crate::error::Failure;
use crate::logs::{Capture, Line, Logs, SlotLog, Stream, Tap};
use crate::ports::Ports;
use crate::probe::Probe;
use crate::ready::{self, Means, Target};
use crate::spawning::{self, Own, Variables, no_means};

/// So many of the last lines of its output are kept with the end of a run.
const LAST_LINES: usize = 10;

/// How long the end of a run waits for a disk that hangs.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How often the memory of a run is looked at, if it has a limit.
const MEMORY_EVERY: Duration = Duration::from_secs(1);

/// Clones are the same host.
#[derive(Clone)]
pub(super) struct SlotHost {
    shared: Arc<Shared>,
}

struct Shared {
    platform: UnixPlatform,
    registry: Arc<Mutex<Registry>>,
    ports: Ports,
    logs: Logs,
    /// The runs that are being spawned or live.
    runs: Mutex<HashMap<RunId, Arc<RunParts>>>,
}

/// What belongs to a run. What can be worked out anew is not kept: there may be a thousand.
struct RunParts {
    key: RunKey,
    /// The slot by its name in full.
    slot: Arc<str>,
    launch: Arc<Launch>,
    block: Option<Block>,
    means: Means,
    output: Capture,
}

impl SlotHost {
    /// # Errors
    ///
    /// If there is no room for the thread that carries output.
    pub(super) fn new(platform: UnixPlatform, registry: Arc<Mutex<Registry>>) -> io::Result<Self> {
        let (ports, logs) = (Ports::default(), Logs::start()?);
        let shared = Shared { platform, registry, ports, logs, runs: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.shared.ports
    }

    /// The present run of the slot with its environment; none if it has none.
    pub(super) fn environment(&self, slot: SlotId) -> Option<Variables> {
        Some(self.present(slot)?.environment())
    }

    /// The last lines that the slot's present run has said; none if it has none.
    pub(super) async fn output(&self, slot: SlotId) -> Option<Vec<String>> {
        let parts = self.present(slot)?;
        let said = async {
            parts.output.drain().await;
            parts.tail().await
        };
        Some(tokio::time::timeout(LAST_OUTPUT, said).await.unwrap_or_default())
    }

    fn present(&self, slot: SlotId) -> Option<Arc<RunParts>> {
        let runs = self.shared.runs();
        let parts = runs.values().filter(|parts| parts.key.slot == slot);
        parts.max_by_key(|parts| parts.key.run).cloned()
    }

    /// The processes of the slot's present run.
    pub(super) fn members(&self, run: RunId) -> Vec<i32> {
        self.shared.platform.members(run)
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Arc<RunParts>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parts(&self, run: RunId) -> Option<Arc<RunParts>> {
        self.runs().get(&run).cloned()
    }

    fn command(
        &self,
        key: RunKey,
        launch: LaunchId,
        program: Program,
        block: Option<Block>,
    ) -> Result<Command, SpawnError> {
        self.registry().entry_mut(key.slot).dying.forget();
        let known = self.registry().launch(key.slot, launch);
        let launch = known.ok_or_else(|| other("what to execute is not known any more"))?;
        // Before the command there are no ports that a probe could be about.
        let probe = match program {
            Program::Prepare => None,
            Program::Main => probe(&launch, block).map_err(refused)?,
        };
        let (means, tap) = Means::for_carried(probe.as_ref()).map_err(|error| no_means(&error))?;
        let log = self.registry().entry(key.slot).log.clone();
        let (output, [stdout, stderr]) =
            self.capture(&log, key, program, tap).map_err(|error| no_output(&error))?;
        let slot = Arc::clone(&self.registry().entry(key.slot).name);
        let task_limit = launch.instance.slot.task_limit;
        let parts = RunParts { key, slot, launch, block, means, output };
        let command = match program {
            Program::Prepare => {
                let command = parts.preparation()?;
                let folder = parts.launch.dir.clone();
                self.registry().entry_mut(key.slot).preparing = Some(folder);
                command
            }
            Program::Main => {
                self.note_prepared(key.slot);
                parts.main()?
            }
        };
        self.runs().insert(key.run, Arc::new(parts));
        Ok(Command { task_limit, stdout, stderr, ..command })
    }

    fn capture(
        &self,
        log: &SlotLog,
        key: RunKey,
        program: Program,
        tap: Option<Tap>,
    ) -> io::Result<(Capture, [Output; 2])> {
        match program {
            Program::Prepare => {
                let (output, [both]) =
                    self.logs.capture(log, key.number, [Stream::Prepare], tap)?;
                let stderr = both.try_clone()?;
                Ok((output, [Output::Pipe(both), Output::Pipe(stderr)]))
            }
            Program::Main => {
                let streams = [Stream::Stdout, Stream::Stderr];
                let (output, writers) = self.logs.capture(log, key.number, streams, tap)?;
                Ok((output, writers.map(Output::Pipe)))
            }
        }
    }

    /// What comes behind a preparation comes only where that went well.
    fn note_prepared(&self, slot: SlotId) {
        self.registry().change(slot, |entry| {
            if let Some(folder) = entry.preparing.take() {
                entry.record.prepared = Some(folder);
            }
        });
    }

    async fn watch_alive(&self, parts: &RunParts, alive: &AliveProbe, reports: &Reporter) {
        loop {
            tokio::time::sleep(alive.every).await;
            let helper = |words: &[String]| parts.helper(words);
            let target = parts.target(&self.platform);
            let is_alive = ready::ask_once(&alive.probe, target, helper, alive.timeout).await;
            reports.report(Report::Alive(is_alive));
        }
    }

    async fn watch_memory(&self, run: RunId, reports: &Reporter) {
        loop {
            tokio::time::sleep(MEMORY_EVERY).await;
            if let Some(bytes) = self.platform.memory(run) {
                reports.report(Report::Memory(bytes));
            }
        }
    }
}

impl RunParts {
    fn main(&self) -> Result<Command, SpawnError> {
        let words = self.launch.command(self.block);
        spawning::command(words, &self.launch.dir, self.environment())
    }

    /// It may be what fills the folder, so the folder is made for it.
    fn preparation(&self) -> Result<Command, SpawnError> {
        let dir = &self.launch.dir;
        std::fs::create_dir_all(dir).map_err(|error| SpawnError {
            failure: SpawnFailure::BadFolder,
            message: format!("the folder {} cannot be made: {error}", dir.display()),
        })?;
        spawning::command(self.launch.prepare.iter().cloned(), dir, self.environment())
    }

    fn helper(&self, words: &[String]) -> Result<Command, SpawnError> {
        let words = words.iter().map(OsString::from);
        spawning::command(words, &self.launch.dir, self.environment())
    }

    fn environment(&self) -> Variables {
        self.own().over(self.launch.environment(self.block))
    }

    fn own(&self) -> Own<'_> {
        let Self { key, slot, block, means, .. } = self;
        Own { slot, number: key.number, block: *block, means }
    }

    /// The last lines of its output. What is released may still write; else the pipes are closed.
    async fn last_words(&self, end: Option<TreeEnd>) -> Vec<String> {
        if end.is_none_or(|end| end.left == 0) {
            return in_words(self.output.close_with_tail(LAST_LINES).await);
        }
        self.output.drain().await;
        self.tail().await
    }

    async fn tail(&self) -> Vec<String> {
        in_words(self.output.tail(LAST_LINES).await)
    }

    fn target<'a>(&self, platform: &'a UnixPlatform) -> Target<'a> {
        Target { platform, run: self.key.run, port: self.block.map(Block::first) }
    }
}

#[async_trait]
impl Host for SlotHost {
    type Platform = UnixPlatform;

    fn platform(&self) -> &UnixPlatform {
        &self.shared.platform
    }

    async fn reserve(&self, run: RunKey, block: Block) -> bool {
        self.shared.note_prepared(run.slot);
        let fixed = self.shared.registry().entry(run.slot).fixed_ports();
        let ports = &self.shared.ports;
        if fixed == Some(block) { ports.reserve_fixed(block) } else { ports.reserve(block) }
    }

    fn unreserve(&self, block: Block) {
        self.shared.ports.unreserve(block);
    }

    fn command(
        &self,
        run: RunKey,
        launch: LaunchId,
        program: Program,
        block: Option<Block>,
    ) -> Result<Command, SpawnError> {
        self.shared.command(run, launch, program, block)
    }

    fn spawned(&self, _: RunKey, leader: Leader) -> i32 {
        leader.pid
    }

    async fn await_ready(&self, run: RunKey, reports: &Reporter) {
        let Some(parts) = self.shared.parts(run.run) else { return };
        let Ok(Some(probe)) = parts.launch.ready(parts.block) else { return };
        let target = parts.target(&self.shared.platform);
        let helper = |words: &[String]| parts.helper(words);
        ready::await_ready(&probe, &parts.means, target, helper, reports).await;
    }

    async fn watch(&self, run: RunKey, reports: &Reporter) {
        let Some(parts) = self.shared.parts(run.run) else { return };
        let Ok(alive) = parts.launch.alive(parts.block) else { return };
        let limit = parts.launch.instance.slot.spec.options().memory_limit;
        let memory = async {
            if limit.is_some() {
                self.shared.watch_memory(run.run, reports).await;
            }
        };
        let liveness = async {
            if let Some(alive) = &alive {
                self.shared.watch_alive(&parts, alive, reports).await;
            }
        };
        tokio::join!(memory, liveness);
    }

    async fn in_use(&self, block: Block) -> bool {
        self.shared.platform.has_connection(block.ports())
    }

    /// A slot of the daemon has no companion.
    async fn flush(&self, _: SlotId) {}

    fn leader_ended(&self, run: RunKey) {
        if let Some(killed @ 1..) = self.shared.platform.oom_kills(run.run) {
            let mut registry = self.shared.registry();
            registry.entry_mut(run.slot).dying.note_out_of_memory(killed);
        }
    }

    async fn gone(&self, run: RunKey, end: Option<TreeEnd>) {
        let Some(parts) = self.shared.parts(run.run) else { return };
        let last_words = parts.last_words(end);
        let last_words = tokio::time::timeout(LAST_OUTPUT, last_words).await;
        let mut registry = self.shared.registry();
        registry.entry_mut(run.slot).dying.hear_output(last_words.unwrap_or_default());
        self.shared.runs().remove(&run.run);
    }
}

/// The readiness probe of a run. One that makes no sense, of liveness too, is told before it runs.
fn probe(launch: &Launch, block: Option<Block>) -> Result<Option<Probe>, Failure> {
    launch.alive(block)?;
    launch.ready(block)
}

/// What cannot be read is left out.
fn in_words(lines: io::Result<Vec<Line>>) -> Vec<String> {
    let lines = lines.unwrap_or_default();
    lines.iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
}

fn no_output(error: &io::Error) -> SpawnError {
    SpawnError {
        failure: SpawnFailure::NoResources,
        message: format!("there are no pipes for its output: {error}"),
    }
}

fn refused(failure: Failure) -> SpawnError {
    other(&failure.message)
}

fn other(message: &str) -> SpawnError {
    SpawnError { failure: SpawnFailure::Other, message: message.to_owned() }
}
