//! The platform: what a driver calls.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use worker_core::{Exit, Kill, Owner, RunId, Signal, Spawn, SpawnError, TreeEnd};

use crate::Pid;
use crate::answer::Answers;
use crate::cgroup::{Cgroups, EmptyLeaves};
use crate::command::{Command, Leader};
use crate::descriptors;
use crate::helper;
use crate::journal::Journal;
use crate::os::{self, StrayExits};
use crate::shim::{self, Shim};
use crate::state::{Owner as ChildOwner, State};
use crate::tier::Tier;

/// Spawns, watches and ends the trees of this process.
///
/// Clones are the same platform. **All children of this process belong to it**: it reaps whatever
/// it finds, so nothing else in the process may spawn or wait.
#[derive(Clone, Debug)]
pub struct UnixPlatform {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    _claim: Claim,
}

impl UnixPlatform {
    /// Makes this process the keeper of its trees: orphans below it become its children (Linux),
    /// and its children are reaped here from now on. Descriptors that it inherited are closed in
    /// whatever it spawns.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if the process has a platform already: clone that one. Else
    /// if SIGCHLD cannot be listened to.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with io enabled.
    pub fn new() -> io::Result<Self> {
        Self::set_up(|_| Err("it was not asked for".to_owned()))
    }

    /// The same, and gives each run a cgroup of its own where that can be; [`tier`](Self::tier)
    /// says whether it can, and why not. What a supervisor that is gone left in its cgroups is ended
    /// first. Blocks for some milliseconds: it tries with a process whether all works.
    ///
    /// Call it when no [`shim`](crate::shim) of this process runs.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). That there can be no cgroup is none.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn with_cgroups(shim: Shim) -> io::Result<Self> {
        Self::set_up(|empty_leaves| Cgroups::set_up(shim, empty_leaves))
    }

    fn set_up(cgroups: impl FnOnce(EmptyLeaves) -> Result<Cgroups, String>) -> io::Result<Self> {
        shim::refuse()?;
        let claim = Claim::take()?;
        let stray_exits = Arc::new(StrayExits::new()?);
        // Also replaces a SIGCHLD that was ignored when we were started, under which the kernel
        // would reap by itself.
        let deaths = signal(SignalKind::child())?;
        descriptors::close_on_exec();
        if let Err(error) = os::adopt_orphans() {
            tracing::warn!(
                "orphans do not fall to this process ({error}): one that left its group may escape"
            );
        }
        let empty_leaves = EmptyLeaves::new();
        let cgroups = cgroups(empty_leaves.clone()).inspect_err(|why| {
            tracing::info!(%why, "runs have no cgroups of their own");
        });
        let state = Mutex::new(State::new(Arc::clone(&stray_exits), cgroups));
        let shared = Arc::new(Shared { state, _claim: claim });
        tokio::spawn(reap(deaths, stray_exits, empty_leaves, Arc::downgrade(&shared)));
        Ok(Self { shared })
    }

    /// Keeps a journal from here on, by which the next supervisor finds what is left if this process
    /// is killed together with its guardian.
    pub fn keep_journal(&self, journal: Journal) {
        self.state().keep_journal(journal);
    }

    /// Ends the journal: removes it, unless processes are left that were to be ended. For the end
    /// of a supervisor.
    pub fn end_journal(&self) {
        self.state().end_journal();
    }

    /// What keeps hold of trees here.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match &self.state().cgroups {
            Ok(cgroups) => Tier::Cgroup { folder: cgroups.folder() },
            Err(why) => Tier::without_cgroups(why.clone()),
        }
    }

    /// The folder of a run's cgroup; none if it has none, or if its tree is gone.
    #[must_use]
    pub fn cgroup(&self, run: RunId) -> Option<PathBuf> {
        self.state().group_of(run).map(|group| group.path().to_owned())
    }

    /// How many processes of the run the kernel has ended because memory ran out, as the run's
    /// cgroup says. None where it has no cgroup with the memory controller, or if its tree is gone:
    /// ask when the leader has ended, and before anything is killed.
    #[must_use]
    pub fn oom_kills(&self, run: RunId) -> Option<u64> {
        self.state().oom_kills(run)
    }

    /// Memory of the whole tree in bytes: what its processes would give back if they ended. In a
    /// cgroup with the memory controller that is `anon` + `shmem` of `memory.stat`. Else it is
    /// `RssAnon` + `RssShmem` on Linux and the footprint on macOS, and pages that processes share
    /// count once for each. None if no process of it lives.
    #[must_use]
    pub fn memory(&self, run: RunId) -> Option<u64> {
        self.looking().memory(run)
    }

    /// The living processes of the tree, each after its parent.
    #[must_use]
    pub fn members(&self, run: RunId) -> Vec<Pid> {
        self.looking().members(run).iter().map(|process| process.pid).collect()
    }

    /// Who listens on a TCP port; none if nobody does. [`Owner::Unknown`] where the kernel does
    /// not say. Where several listen, one stranger is enough for [`Owner::Stranger`].
    #[must_use]
    pub fn listener_owner(&self, run: RunId, port: u16) -> Option<Owner> {
        self.looking().listener_owner(run, port)
    }

    /// Whether there is an established TCP connection to one of these ports of this machine.
    /// False where the kernel does not say.
    #[must_use]
    pub fn has_connection(&self, ports: RangeInclusive<u16>) -> bool {
        os::any_connection(ports).unwrap_or(false)
    }

    /// Sends a signal to the leader's group. Does nothing once the tree is gone.
    pub fn forward(&self, run: RunId, signal: Signal) {
        self.looking().forward(run, signal);
    }

    /// Stops every process of every tree (SIGSTOP).
    pub fn suspend(&self) {
        self.state().signal_all(process::Signal::STOP);
    }

    /// Continues every process of every tree (SIGCONT).
    pub fn resume(&self) {
        self.state().signal_all(process::Signal::CONT);
    }

    /// Runs a process of the run's tree, such as an exec probe, in a group of its own, and kills
    /// it with its group after `limit` or when this future is dropped; then the answer is
    /// SIGKILL. What it leaves behind in its group ends with it.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if it cannot be spawned, or if the run is being ended.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time enabled.
    pub async fn run_helper(
        &self,
        run: RunId,
        command: Command,
        limit: Duration,
    ) -> Result<Exit, SpawnError> {
        helper::run_helper(self, run, command, limit).await
    }

    /// Kills the orphans that could not be attributed to a run, and from here on those that show
    /// up; resolves when there are none. For a shutdown, when the trees are gone. Bound it in time:
    /// a process may be unkillable.
    pub async fn end_unattributed(&self) {
        let mut left = self.state().end_unattributed();
        // Cannot fail before `self` is dropped.
        let _ = left.wait_for(|&left| left == 0).await;
    }

    /// Orphans that could not be attributed to a run and live.
    #[must_use]
    pub fn unattributed(&self) -> Vec<Pid> {
        self.looking().children_of(ChildOwner::Nobody)
    }

    /// Whether processes live that a run left behind on purpose.
    #[must_use]
    pub fn has_released(&self) -> bool {
        !self.looking().released.is_empty()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// The state, up to date.
    fn looking(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.settle();
        state
    }

    fn answers(&self, run: RunId) -> Option<Arc<Answers>> {
        self.state().answers.get(&run).cloned()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There can be one place that reaps in a process.
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// The right to reap in this process.
#[derive(Debug)]
struct Claim;

impl Claim {
    fn take() -> io::Result<Self> {
        if CLAIMED.swap(true, Ordering::SeqCst) {
            let message = "this process has a UnixPlatform already: clone it";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        Ok(Self)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::SeqCst);
    }
}

/// The reaping task: a death wakes it, or a cgroup that got empty.
async fn reap(
    mut deaths: SignalStream,
    strays: Arc<StrayExits>,
    empty_leaves: EmptyLeaves,
    shared: Weak<Shared>,
) {
    loop {
        tokio::select! {
            Some(()) = deaths.recv() => {}
            () = strays.next() => {}
            () = empty_leaves.next() => {}
        }
        let Some(shared) = shared.upgrade() else { return };
        shared.state().settle();
    }
}

#[async_trait]
impl Spawn for UnixPlatform {
    type Command = Command;
    type Leader = Leader;

    /// If this is dropped before it answers, there may be a leader all the same: kill the run.
    async fn spawn(&self, run: RunId, command: Command) -> Result<Leader, SpawnError> {
        let pid = self.spawn_leader(run, &command).await?;
        Ok(Leader { pid })
    }

    /// [`Exit::Unknown`] at once for a run that never was, or of which all was told.
    async fn leader_exit(&self, run: RunId) -> Exit {
        let Some(answers) = self.answers(run) else { return Exit::Unknown };
        let exit = answers.exit.tell().await;
        self.state().forget_told(run);
        exit
    }
}

#[async_trait]
impl Kill for UnixPlatform {
    /// Many that are asked for at once are done at once, in the next turn of the runtime.
    async fn signal_tree(&self, run: RunId, signal: Signal) {
        self.state().ask_to_signal(run, signal);
        tokio::task::yield_now().await;
        self.state().signal_asked();
    }

    async fn kill_group(&self, run: RunId) {
        self.state().kill_group(run);
    }

    async fn kill_escapees(&self, run: RunId) {
        self.state().kill_escapees(run);
    }

    async fn release(&self, run: RunId) {
        self.state().release(run);
    }

    /// The default at once for a run that never was, or of which all was told.
    async fn tree_gone(&self, run: RunId) -> TreeEnd {
        let Some(answers) = self.answers(run) else { return TreeEnd::default() };
        let end = answers.end.tell().await;
        self.state().forget_told(run);
        end
    }
}
