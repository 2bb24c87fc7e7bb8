//! Who of the processes of this machine belongs to supervisors that are dead.

use std::collections::{HashMap, HashSet};

use worker_core::RunId;

use super::format::Entry;
use crate::Pid;
use crate::marker;
use crate::os::{self, Process};
use crate::supervisor_id::SupervisorId;

/// A supervisor that is dead, and what its journal says.
#[derive(Debug)]
pub(super) struct Dead {
    pub(super) id: SupervisorId,
    marker: String,
    processes: HashSet<Identity>,
    released: HashSet<RunId>,
}

/// Number and start time: a number comes round again only after all others were used.
pub(super) type Identity = (Pid, u64);

/// A process that a dead supervisor left behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leftover {
    pub(super) process: Process,
    /// Whose it is, by index.
    pub(super) of: usize,
}

impl Dead {
    pub(super) fn new(id: SupervisorId, entries: &[Entry]) -> Self {
        let marker = id.marker_prefix();
        let mut dead = Self { id, marker, processes: HashSet::new(), released: HashSet::new() };
        for entry in entries {
            match *entry {
                Entry::Process { pid, start } => drop(dead.processes.insert((pid, start))),
                Entry::Released(run) => drop(dead.released.insert(run)),
            }
        }
        dead
    }
}

/// Everything that these supervisors left behind and that lives.
///
/// A process is of a dead supervisor if its journal names it, if its marker does, or if it was
/// `known` to be before. So are those in the group or session of such a process, and all that is
/// below them. A supervisor that runs in the tree of another one belongs to that tree.
///
/// Where we are in such a tree ourselves, that tree is left out: its supervisor is answered beside.
pub(super) fn look(
    dead: &[Dead],
    known: &HashMap<Identity, usize>,
) -> (Vec<Leftover>, HashSet<usize>) {
    let mut view = View::new(os::all_processes());
    for (index, process) in view.processes.clone().iter().enumerate() {
        view.claims[index] = claim(process, dead, known);
    }
    view.spread();
    let above_us = view.above_us();
    (view.leftovers(&above_us), above_us)
}

pub(super) fn identity(process: &Process) -> Identity {
    (process.pid, process.start)
}

/// What is said about one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Nothing, by itself.
    None,
    /// It was left behind by this supervisor.
    Left(usize),
    /// It was left behind on purpose.
    Released,
}

fn claim(process: &Process, dead: &[Dead], known: &HashMap<Identity, usize>) -> Claim {
    let identity = identity(process);
    let named = || dead.iter().position(|dead| dead.processes.contains(&identity));
    if let Some(of) = known.get(&identity).copied().or_else(named) {
        return Claim::Left(of);
    }
    let Some(environment) = os::environment(process.pid) else { return Claim::None };
    let claims = dead.iter().enumerate().filter_map(|(of, dead)| {
        let run = marker::run_of(&dead.marker, &environment)?;
        Some(if dead.released.contains(&run) { Claim::Released } else { Claim::Left(of) })
    });
    claims.min_by_key(|claim| *claim == Claim::Released).unwrap_or(Claim::None)
}

/// All processes at one moment.
struct View {
    processes: Vec<Process>,
    claims: Vec<Claim>,
    by_pid: HashMap<Pid, usize>,
}

impl View {
    fn new(processes: Vec<Process>) -> Self {
        let by_pid = processes.iter().enumerate().map(|(index, it)| (it.pid, index)).collect();
        Self { claims: vec![Claim::None; processes.len()], by_pid, processes }
    }

    /// Claims what is below a claimed process, or in its group or session: those numbers are its
    /// own as long as it is there, also as a zombie.
    fn spread(&mut self) {
        loop {
            let unclaimed = (0..self.processes.len()).filter(|&at| self.claims[at] == Claim::None);
            let claimed: Vec<_> =
                unclaimed.filter_map(|at| Some((at, self.claim_by_others(at)?))).collect();
            if claimed.is_empty() {
                return;
            }
            for (at, claim) in claimed {
                self.claims[at] = claim;
            }
        }
    }

    fn claim_by_others(&self, at: usize) -> Option<Claim> {
        let process = &self.processes[at];
        let others = [process.parent, process.group, process.session];
        others.into_iter().find_map(|pid| self.left_by(pid)).map(Claim::Left)
    }

    fn left_by(&self, pid: Pid) -> Option<usize> {
        match self.claims[*self.by_pid.get(&pid)?] {
            Claim::Left(of) => Some(of),
            Claim::None | Claim::Released => None,
        }
    }

    /// The supervisors in whose trees we are.
    fn above_us(&self) -> HashSet<usize> {
        let mut above = HashSet::new();
        let mut seen = HashSet::new();
        let mut pid = rustix::process::getpid().as_raw_nonzero().get();
        while seen.insert(pid) {
            above.extend(self.left_by(pid));
            let Some(&at) = self.by_pid.get(&pid) else { break };
            pid = self.processes[at].parent;
        }
        above
    }

    fn leftovers(&self, above_us: &HashSet<usize>) -> Vec<Leftover> {
        let living = self.processes.iter().filter(|process| process.alive && process.pid > 1);
        let left = living
            .filter_map(|&process| Some(Leftover { process, of: self.left_by(process.pid)? }));
        left.filter(|leftover| !above_us.contains(&leftover.of)).collect()
    }
}
