//! Grows a tree, and proves that it is complete.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::cell::Tier;
use super::end::End;
use super::keeper::{Keeper, PATIENCE, Trouble, until};
use super::launch::{Launch, Started};
use super::look::{self, Pid, Process};
use super::specimen::Trait;

/// What a later run says when it is there.
pub(super) const AGAIN: &str = "up again";

/// A tree that is complete, and who looks after it.
pub(super) struct Tree {
    pub(super) started: Started,
    pub(super) leader: Process,
    pub(super) supervisor: Process,
    pub(super) guardian: Process,
    /// Everybody who said so.
    up: Vec<Process>,
    /// What the run after this one does.
    pub(super) next: String,
}

impl Tree {
    /// Starts it, until it is complete. `marker` is a neighbour's.
    pub(super) fn grow(keeper: &Keeper<'_>, marker: &str) -> Result<Self, Trouble> {
        let (first, next) = scripts(keeper, marker)?;
        let launch = Launch {
            options: options(keeper),
            in_terminal: keeper.cell.end == End::HangUp,
            ..keeper.launch("tree", first, next.clone())
        };
        let started = launch.start().map_err(|error| error.to_string())?;
        let up = hear(&started, keeper)?;
        let leader = *up.last().ok_or("nobody is up".to_owned())?;
        let supervisor = parent_of(leader)?;
        let guardian = parent_of(supervisor)?;
        let tree = Self { started, leader, supervisor, guardian, up, next };
        tree.await_complete(keeper)?;
        tree.check_tier(keeper)?;
        Ok(tree)
    }

    fn await_complete(&self, keeper: &Keeper<'_>) -> Result<(), Trouble> {
        let seen = until("the whole tree", &self.started, || {
            if !self.leader.is_still_there() {
                return Some(Err(gone_early(keeper)));
            }
            self.is_complete(keeper).then_some(Ok(()))
        });
        seen?
    }

    /// Its processes that live, by the pipe that each of them holds.
    pub(super) fn members(&self) -> Vec<Process> {
        let path = self.started.pipe.path();
        let is_member = |process: &Process| self.has_said_so(process) || process.holds(path);
        look::descendants().into_iter().filter(is_member).collect()
    }

    /// Whether it has said that it is up.
    pub(super) fn has_said_so(&self, process: &Process) -> bool {
        self.up.iter().any(|up| up.is(process))
    }

    fn is_complete(&self, keeper: &Keeper<'_>) -> bool {
        let members = self.members();
        let count = |is: &dyn Fn(&Process) -> bool| members.iter().filter(|it| is(it)).count();
        let proof = &keeper.cell.specimen.proof;
        self.started.pipe.is_held()
            && members.len() >= proof.members
            && count(&|it| it.session != self.leader.session) >= proof.own_session
            && count(&|it| it.group != self.leader.group) >= proof.own_group
            && count(&|it| it.state == 'T') >= proof.stopped
    }

    /// A run in a cgroup is in one whose name begins so.
    fn check_tier(&self, keeper: &Keeper<'_>) -> Result<(), String> {
        let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", self.leader.pid));
        let is_in_cgroup = cgroup
            .unwrap_or_default()
            .lines()
            .any(|line| line.strip_prefix("0::").is_some_and(|name| name.contains("/worker.")));
        match (keeper.cell.place.tier, is_in_cgroup) {
            (Tier::Cgroup, false) => Err("the run has no cgroup of its own".to_owned()),
            (Tier::Subreaper, true) => Err("the run has a cgroup".to_owned()),
            (Tier::Cgroup, true) | (Tier::Subreaper, false) => Ok(()),
        }
    }
}

/// Of the first run and of the next one.
fn scripts(keeper: &Keeper<'_>, marker: &str) -> Result<(String, String), String> {
    let specimen = keeper.cell.specimen;
    let port = free_port()?;
    let script = specimen.script.replace("PORT", &port);
    let script = script.replace("=MARKER", &format!("={marker}"));
    let reuses_port = specimen.trait_ == Trait::PortIsReused;
    let listen = if reuses_port { format!("listen {port} ") } else { String::new() };
    Ok((format!("{script} {}", keeper.cell.end.leader()), format!("{listen}{AGAIN} sleep")))
}

fn options(keeper: &Keeper<'_>) -> Vec<String> {
    let mut options = format!("--stop-grace {}s --backoff 1ms", keeper.cell.end.grace().as_secs());
    if keeper.cell.end == End::ReadyTimeout {
        options += &format!(" --ready log=never --ready-timeout {}s", keeper.ready_timeout);
    } else if keeper.cell.specimen.trait_ == Trait::OutputIsRead {
        options += " --ready log=up";
    }
    options.split(' ').map(str::to_owned).collect()
}

/// Hears all of them say that they are up, the leader last.
fn hear(started: &Started, keeper: &Keeper<'_>) -> Result<Vec<Process>, Trouble> {
    let deadline = Instant::now() + PATIENCE;
    let count = keeper.cell.specimen.says_up;
    let (mut up, mut leader) = (Vec::new(), None);
    while up.len() + usize::from(leader.is_some()) < count {
        let patience = deadline.saturating_duration_since(Instant::now());
        let line = started.talk.next(patience);
        let line = line
            .ok_or_else(|| format!("{} of {count} came up; {}", up.len(), started.last_words()))?;
        let Some((name, pid)) = line.strip_prefix("up ").and_then(|up| up.split_once(' ')) else {
            continue;
        };
        let process = pid.parse().ok().and_then(Process::find);
        let process = process.filter(|_| name != "again").ok_or_else(|| gone_early(keeper))?;
        if name == "leader" { leader = Some(process) } else { up.push(process) }
    }
    up.extend(leader);
    Ok(up)
}

fn gone_early(keeper: &Keeper<'_>) -> Trouble {
    if keeper.cell.end == End::ReadyTimeout {
        return Trouble::TooSlow;
    }
    Trouble::Failed("a process of the tree is gone before its end".to_owned())
}

fn parent_of(process: Process) -> Result<Process, String> {
    let parent: Pid = process.parent;
    Process::find(parent).ok_or_else(|| format!("the parent of {} is gone", process.pid))
}

fn free_port() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|it| it.port().to_string()).map_err(|error| error.to_string())
}

/// Whether a line was said, among those that were not heard yet.
pub(super) fn has_said(started: &Started, text: &str) -> bool {
    let soon = Duration::from_millis(500);
    std::iter::from_fn(|| started.talk.next(soon)).any(|line| line == text)
}
