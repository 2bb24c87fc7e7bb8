//! What is known of the runs and of our children. Everything here happens under one lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rustix::process::Rlimit;
use tokio::sync::{oneshot, watch};
use worker_core::{Exit, RunId, Signal};

use crate::Pid;
use crate::answer::Answers;
use crate::cgroup::{Cgroups, Leaf};
use crate::journal::Journal;
use crate::marker::Marker;
use crate::os::{self, OwnChildren, Process, StrayExits, Vfork};
use crate::start_clock::StartClock;

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) marker: Marker,
    /// Runs whose tree is not gone.
    pub(crate) runs: HashMap<RunId, Box<Run>>,
    /// What is told about runs, until it was told.
    pub(crate) answers: HashMap<RunId, Arc<Answers>>,
    /// Our children that are not reaped. Their numbers cannot be reused.
    pub(crate) children: HashMap<Pid, Child>,
    /// The system's list of them.
    pub(crate) own_children: OwnChildren,
    /// Children that were reaped since our children were last listed. Those whom they left behind
    /// are known by their group and session.
    pub(crate) just_reaped: Vec<Child>,
    /// Trees that are about to be signalled.
    pub(crate) to_signal: Vec<(RunId, Signal)>,
    /// Ended runs that left processes behind on purpose, as long as there are any.
    pub(crate) released: HashMap<RunId, Released>,
    /// What becomes of children that belong to nobody.
    pub(crate) unattributed: Unattributed,
    /// Makes a cgroup for each run; else why there are none.
    pub(crate) cgroups: Result<Cgroups, String>,
    /// Tells when processes end whose end is not told to us as their parent.
    pub(crate) stray_exits: Arc<StrayExits>,
    /// What the next supervisor is told if we are killed.
    pub(crate) journal: Option<Journal>,
    /// Tells when children started.
    pub(crate) start_clock: StartClock,
    /// Children that are not in the journal yet.
    pub(crate) unnoted: Vec<Pid>,
    /// Spawns children, where it can.
    pub(crate) vfork: Option<Vfork>,
    /// How many files children may have open, where that is not what we may.
    pub(crate) child_open_files: Option<Rlimit>,
    /// That a limit of tasks cannot be kept is said once.
    pub(crate) said_of_tasks: bool,
}

/// A run whose tree is not gone.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) leader: Pid,
    /// How the leader ended. It is not reaped before its group was killed, or its tree is gone.
    pub(crate) exit: Option<Exit>,
    pub(crate) ending: Ending,
    /// Processes that SIGKILL ended after we had sent it.
    pub(crate) killed: u32,
    /// Processes that were seen below a process of the run. Of a run with a leaf none is noted.
    pub(crate) known: Known,
    /// Its cgroup.
    pub(crate) leaf: Option<Leaf>,
}

/// What an ended run left behind on purpose.
#[derive(Debug)]
pub(crate) struct Released {
    /// Who lived then.
    pub(crate) known: Known,
    /// The cgroup of the run, until it is empty.
    pub(crate) leaf: Option<Leaf>,
}

/// How far the ending of a tree has come. Only moves up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Nobody asked for it.
    NotAsked,
    /// The whole tree was signalled.
    Signalled,
    /// What is left belongs to no run, as soon as the leader is dead.
    Released,
    /// The leader's group got its one SIGKILL.
    GroupKilled,
    /// Whatever shows up gets SIGKILL.
    Killing,
}

/// Processes that were seen, by number.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Pid, Process>);

impl Known {
    /// Whether the process that has this number now is the one that was seen.
    pub(crate) fn contains(&self, pid: Pid) -> bool {
        let seen = self.0.get(&pid);
        seen.is_some_and(|seen| os::process(pid).is_some_and(|now| now.start == seen.start))
    }

    /// As they were seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Process> {
        self.0.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Process> for Known {
    fn from_iter<I: IntoIterator<Item = Process>>(seen: I) -> Self {
        Self(seen.into_iter().map(|process| (process.pid, process)).collect())
    }
}

/// A child of ours that is not reaped.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) owner: Owner,
    /// Its number, and the group and session it was last seen in.
    pub(crate) ids: [Pid; 3],
    pub(crate) role: Role,
    /// When it started, in the system's own unit, where that is known without asking.
    pub(crate) start: Option<u64>,
    /// SIGKILL was sent to it: it cannot fork any more.
    pub(crate) struck: bool,
    /// It was seen in the leaf of its run, the end of which is its own, too.
    pub(crate) in_leaf: bool,
}

impl Child {
    /// Whether it is the leader of this run.
    pub(crate) fn leads(&self, run: RunId) -> bool {
        self.owner == Owner::Run(run) && matches!(self.role, Role::Leader)
    }
}

/// To whom a child belongs. Does not change while the child is not reaped, except by a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is of the tree of this run.
    Run(RunId),
    /// It was left behind on purpose by this run, which is over.
    Released(RunId),
    /// We cannot tell.
    Nobody,
}

/// How a process came to be our child.
#[derive(Debug)]
pub(crate) enum Role {
    /// Spawned, as the leader of its run.
    Leader,
    /// Spawned, to be waited for by whoever asked.
    Helper(Option<oneshot::Sender<Exit>>),
    /// An orphan that fell to us.
    Adopted,
}

/// What becomes of children that belong to nobody.
#[derive(Debug)]
pub(crate) enum Unattributed {
    /// They are left alone.
    Kept,
    /// They get SIGKILL; says how many are left.
    Ended(watch::Sender<usize>),
}

impl State {
    pub(crate) fn new(stray_exits: Arc<StrayExits>, cgroups: Result<Cgroups, String>) -> Self {
        Self {
            cgroups,
            stray_exits,
            marker: Marker::of_this_process(),
            runs: HashMap::new(),
            answers: HashMap::new(),
            children: HashMap::new(),
            own_children: OwnChildren::open(),
            just_reaped: Vec::new(),
            to_signal: Vec::new(),
            released: HashMap::new(),
            unattributed: Unattributed::Kept,
            journal: None,
            start_clock: StartClock::default(),
            unnoted: Vec::new(),
            vfork: Vfork::new(),
            child_open_files: None,
            said_of_tasks: false,
        }
    }

    /// The children that belong to `owner`.
    pub(crate) fn children_of(&self, owner: Owner) -> Vec<Pid> {
        let children = self.children.iter().filter(|(_, child)| child.owner == owner);
        children.map(|(&pid, _)| pid).collect()
    }

    /// Forgets what was told about a run, once all was.
    pub(crate) fn forget_told(&mut self, run: RunId) {
        let over = !self.runs.contains_key(&run);
        if over && self.answers.get(&run).is_some_and(|answers| answers.all_told()) {
            self.answers.remove(&run);
        }
    }
}
