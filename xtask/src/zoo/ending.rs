//! Brings a tree to its end, and counts what is left of it.

use rustix::process::Signal;

use super::cannot::Survivors;
use super::end::End;
use super::grow::{AGAIN, Tree, has_said};
use super::keeper::{Keeper, Trouble, until};
use super::launch::{Launch, Started};
use super::look::{self, Pid, Process, send, send_in_turn};
use super::specimen::Trait;

/// How often the pipe and `/proc` may disagree: a scan takes its time, and processes move.
const SCANS: usize = 5;

/// Answers how many processes of the tree survived.
pub(super) fn bring_to_end(keeper: &Keeper<'_>) -> Result<Survivors, Trouble> {
    let has_neighbour = keeper.cell.specimen.trait_ == Trait::HasNeighbour;
    let neighbour = has_neighbour.then(|| Neighbour::start(keeper)).transpose()?;
    let marker = neighbour.as_ref().map_or(Ok(String::new()), Neighbour::marker)?;
    let tree = Tree::grow(keeper, &marker)?;
    let (survivors, later) = tree.end(keeper)?;
    if let Some(later) = later {
        later.stop()?;
    }
    if let Some(neighbour) = neighbour {
        neighbour.check_and_stop()?;
    }
    Ok(survivors)
}

impl Tree {
    /// Answers how many survived, and the run that came after it, if one lives.
    fn end(mut self, keeper: &Keeper<'_>) -> Result<(Survivors, Option<Later>), String> {
        match keeper.cell.end {
            End::LeaderCrash => self.leader.must_get(Signal::KILL)?,
            End::ReadyTimeout => {}
            End::Stop | End::Term => self.guardian.must_get(Signal::TERM)?,
            End::KillSupervisor => self.supervisor.must_get(Signal::KILL)?,
            End::KillGuardian => self.guardian.must_get(Signal::KILL)?,
            End::KillBoth => return self.end_both(keeper),
            End::HangUp => drop(self.started.terminal.take()),
        }
        if matches!(keeper.cell.end, End::LeaderCrash | End::ReadyTimeout) {
            self.started.await_line(AGAIN)?;
            let survivors = self.survivors()?;
            return Ok((survivors, Some(Later { guardian: self.guardian, started: self.started })));
        }
        self.await_worker()?;
        let survivors = self.survivors()?;
        if keeper.cell.end == End::Stop && !has_said(&self.started, "flushed") {
            return Err("the leader did not get its second to flush".to_owned());
        }
        let is_next_needed = keeper.cell.specimen.trait_ == Trait::PortIsReused;
        let later = is_next_needed.then(|| Later::start(keeper, &self.next)).transpose()?;
        Ok((survivors, later))
    }

    /// One right after the other. In the time between the one that is left may begin its duty.
    fn end_both(self, keeper: &Keeper<'_>) -> Result<(Survivors, Option<Later>), String> {
        self.await_orphans()?;
        let untraceable = self.untraceable();
        let mut both = [self.guardian, self.supervisor];
        both.rotate_left(keeper.way);
        send_in_turn(both, Signal::KILL)?;
        self.await_worker()?;
        let later = Later::start(keeper, &self.next)?;
        let mut survivors = self.survivors()?;
        let is_left = |process: &&Process| process.is_still_there();
        survivors.untraceable = untraceable.iter().filter(is_left).count();
        Ok((survivors, Some(later)))
    }

    /// Waits until those are gone that are only there to leave others behind without a parent.
    fn await_orphans(&self) -> Result<(), String> {
        until("the end of those between", &self.started, || {
            let members = self.members();
            let is_between = |it: &Process| {
                !self.has_said_so(it)
                    && members.iter().any(|child| child.parent == it.pid && self.has_said_so(child))
            };
            (!members.iter().any(is_between)).then_some(())
        })
    }

    /// Those whose environment does not name their run, and whose parent, group and session are
    /// none of the tree's.
    fn untraceable(&self) -> Vec<Process> {
        let members = self.members();
        let run = self.leader.variable("WORKER_MARKER");
        let is_other = |id: Pid, it: &Process| id != it.pid && members.iter().any(|m| m.pid == id);
        let has_lead =
            |it: &Process| [it.parent, it.group, it.session].iter().any(|&id| is_other(id, it));
        let names_run = |it: &Process| it.variable("WORKER_MARKER") == run;
        members.iter().filter(|it| !names_run(it) && !has_lead(it)).copied().collect()
    }

    /// Waits until both processes of `worker` are dead.
    fn await_worker(&self) -> Result<(), String> {
        let both = [self.guardian, self.supervisor];
        until("the end of worker", &self.started, || {
            (!both.iter().any(Process::is_still_there)).then_some(())
        })
    }

    /// Counts those that live, in `/proc`; the pipe has the last word on whether there are any.
    fn survivors(&self) -> Result<Survivors, String> {
        for _ in 0..SCANS {
            let is_held = self.started.pipe.is_held();
            let all = self.members().len();
            if is_held == (all > 0) {
                return Ok(Survivors { all, untraceable: 0 });
            }
        }
        Err("the pipe of the tree is held by somebody who is not below us".to_owned())
    }
}

impl Process {
    fn must_get(&self, signal: Signal) -> Result<(), String> {
        let sent = send(*self, signal);
        sent.then_some(()).ok_or_else(|| format!("pid {} is gone before its end", self.pid))
    }
}

/// The run that came after the tree.
struct Later {
    guardian: Process,
    started: Started,
}

impl Later {
    /// By a new start.
    fn start(keeper: &Keeper<'_>, script: &str) -> Result<Self, String> {
        let launch = keeper.launch("later", script.to_owned(), script.to_owned());
        let (guardian, started) = launch.start_and_hear(AGAIN)?;
        Ok(Self { guardian, started })
    }

    fn stop(self) -> Result<(), String> {
        stop(self.guardian, &self.started)
    }
}

/// Another slot, which is none of the tree's business.
struct Neighbour {
    guardian: Process,
    leader: Process,
    started: Started,
}

impl Neighbour {
    fn start(keeper: &Keeper<'_>) -> Result<Self, String> {
        let script = "up neighbour sleep".to_owned();
        let launch = keeper.launch("neighbour", script.clone(), script);
        let (guardian, started) = launch.start_and_hear("up neighbour")?;
        let path = started.pipe.path();
        let leader = look::descendants().into_iter().find(|process| process.holds(path));
        Ok(Self { guardian, leader: leader.ok_or("the neighbour is gone")?, started })
    }

    fn marker(&self) -> Result<String, String> {
        self.leader.variable("WORKER_MARKER").ok_or("the neighbour has no marker".to_owned())
    }

    fn check_and_stop(self) -> Result<(), String> {
        if !self.leader.is_still_there() {
            return Err("the neighbour was ended, too".to_owned());
        }
        stop(self.guardian, &self.started)
    }
}

fn stop(guardian: Process, started: &Started) -> Result<(), String> {
    guardian.must_get(Signal::TERM)?;
    until("the end of what came after", started, || (!guardian.is_still_there()).then_some(()))
}

impl Keeper<'_> {
    /// With nothing but the scripts.
    pub(super) fn launch(&self, name: &str, first: String, later: String) -> Launch<'_> {
        Launch {
            ground: self.ground,
            place: self.cell.place,
            cgroup: self.cgroup.as_deref(),
            home: &self.home,
            folder: self.folder.join(format!("{name}-{}-{}", self.way, self.ready_timeout)),
            options: Vec::new(),
            scripts: [first, later],
            in_terminal: false,
        }
    }
}

impl Launch<'_> {
    /// Starts it, waits for a line that begins so and ends with the number of the leader, and answers
    /// the guardian.
    fn start_and_hear(&self, text: &str) -> Result<(Process, Started), String> {
        let started = self.start().map_err(|error| error.to_string())?;
        let line = started.await_line(text)?;
        let leader = line.rsplit(' ').next().and_then(|pid| Process::find(pid.parse().ok()?));
        let supervisor = leader.and_then(|leader| Process::find(leader.parent));
        let guardian = supervisor.and_then(|supervisor| Process::find(supervisor.parent));
        Ok((guardian.ok_or("the next run is gone already")?, started))
    }
}
