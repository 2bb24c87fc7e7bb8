//! The host of a single command: what its driver needs beside the platform.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinSet;
use worker_core::{Block, LaunchId, Program, RunId, SlotId, SpawnError, TreeEnd};
use worker_platform_unix::{Command, Input, Leader, Output, UnixPlatform};

use crate::driver::{Host, Reporter, RunKey};
use crate::plan::Plan;
use crate::ports::Ports;
use crate::ready::{self, Means, Target};
use crate::spawning::{self, Own, Variables, no_means};

/// How long the last output may take to be read.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// Clones are the same host.
#[derive(Clone)]
pub(super) struct RunHost {
    shared: Arc<Shared>,
}

struct Shared {
    platform: UnixPlatform,
    plan: Plan,
    /// Where the command reads from.
    stdin: Input,
    ports: Ports,
    /// What belongs to the runs that are being spawned or live.
    runs: Mutex<HashMap<RunId, Arc<Belongings>>>,
    pumps: Mutex<JoinSet<()>>,
    last_output: watch::Sender<bool>,
}

struct Belongings {
    block: Option<Block>,
    means: Means,
}

impl RunHost {
    pub(super) fn new(platform: UnixPlatform, plan: Plan) -> Self {
        let shared = Shared {
            platform,
            plan,
            stdin: if std::io::stdin().is_terminal() { Input::Null } else { Input::Inherit },
            ports: Ports::default(),
            runs: Mutex::default(),
            pumps: Mutex::default(),
            last_output: watch::Sender::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.shared.plan
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.shared.ports
    }

    /// The runs that are being spawned or live.
    pub(super) fn runs(&self) -> Vec<RunId> {
        self.shared.runs().keys().copied().collect()
    }

    /// Passes on what is left of the output, for a second at most.
    pub(super) async fn finish_output(&self) {
        self.shared.last_output.send_replace(true);
        let mut pumps = std::mem::take(&mut *self.shared.pumps());
        let all = async { while pumps.join_next().await.is_some() {} };
        // Whoever does not read for so long does not want it.
        drop(tokio::time::timeout(LAST_OUTPUT, all).await);
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Belongings>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pumps(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, run: RunKey, block: Option<Block>) -> Result<Command, SpawnError> {
        let mut outputs = [Output::Inherit, Output::Inherit];
        let means = Means::for_probe(self.plan.probe.as_ref(), &mut outputs);
        let mut means = means.map_err(|error| no_means(&error))?;
        let env = self.environment(run, block, &means);
        let words = std::iter::once(&self.plan.program).chain(&self.plan.args).cloned();
        let [stdout, stderr] = outputs;
        let silent = spawning::command(words, &self.plan.dir, env)?;
        let command = Command { stdin: self.stdin, stdout, stderr, ..silent };
        self.start_pumps(&mut means);
        self.runs().insert(run.run, Arc::new(Belongings { block, means }));
        Ok(command)
    }

    fn environment(&self, run: RunKey, block: Option<Block>, means: &Means) -> Variables {
        Own { slot: &self.plan.name, number: run.number, block, means }.over(self.plan.env.clone())
    }

    fn start_pumps(&self, means: &mut Means) {
        if let Means::Log(watch) = means {
            let mut pumps = self.pumps();
            while pumps.try_join_next().is_some() {}
            for pump in watch.take_pumps() {
                pumps.spawn(pump.run(self.last_output.subscribe()));
            }
        }
    }
}

#[async_trait]
impl Host for RunHost {
    type Platform = UnixPlatform;

    fn platform(&self) -> &UnixPlatform {
        &self.shared.platform
    }

    async fn reserve(&self, _: RunKey, block: Block) -> bool {
        self.shared.ports.reserve(block)
    }

    fn unreserve(&self, block: Block) {
        self.shared.ports.unreserve(block);
    }

    fn command(
        &self,
        run: RunKey,
        _: LaunchId,
        _: Program,
        block: Option<Block>,
    ) -> Result<Command, SpawnError> {
        self.shared.command(run, block)
    }

    fn spawned(&self, _: RunKey, leader: Leader) -> i32 {
        leader.pid
    }

    async fn await_ready(&self, run: RunKey, reports: &Reporter) {
        let belongings = self.shared.runs().get(&run.run).cloned();
        let (Some(probe), Some(belongings)) = (&self.shared.plan.probe, belongings) else { return };
        let platform = &self.shared.platform;
        let Belongings { block, means } = &*belongings;
        let target = Target { platform, run: run.run, port: block.map(Block::first) };
        let helper = |words: &[String]| {
            let words = words.iter().map(OsString::from);
            let env = self.shared.environment(run, *block, means);
            spawning::command(words, &self.shared.plan.dir, env)
        };
        ready::await_ready(probe, means, target, helper, reports).await;
    }

    /// A single command has no liveness probe and no limit of memory.
    async fn watch(&self, _: RunKey, _: &Reporter) {}

    async fn in_use(&self, block: Block) -> bool {
        self.shared.platform.has_connection(block.ports())
    }

    /// A single command has no companion.
    async fn flush(&self, _: SlotId) {}

    fn leader_ended(&self, _: RunKey) {}

    async fn gone(&self, run: RunKey, _: Option<TreeEnd>) {
        self.shared.runs().remove(&run.run);
    }
}
