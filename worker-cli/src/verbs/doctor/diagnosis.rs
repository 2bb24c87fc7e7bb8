//! What was found, as a value.

use std::path::PathBuf;

use serde::Serialize;
use worker_platform_unix::Pid;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Diagnosis {
    pub(super) trees: Trees,
    pub(super) guardian: Guardian,
    pub(super) journal: Journal,
    pub(super) daemon: Daemon,
    /// What killed supervisors left behind; the next start ends it.
    pub(super) leftovers: Vec<Leftover>,
    pub(super) kernel: Kernel,
    pub(super) limits: Limits,
}

/// How trees are emptied.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trees {
    pub(super) tier: Tier,
    /// Where the cgroups of runs are made.
    pub(super) folder: Option<PathBuf>,
    /// Why not by cgroups.
    pub(super) no_cgroups: Option<String>,
    /// What would bring cgroups.
    pub(super) mend: Option<String>,
}

/// The means, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tier {
    Cgroup,
    Subreaper,
    Group,
}

/// What the process above a supervisor can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Guardian {
    /// Ends what a killed supervisor leaves behind.
    Stands,
    /// Nothing: the kernel ends what PID 1 leaves behind.
    NotNeeded,
    /// Passes on signals; orphans do not fall to it.
    FindsNothing,
}

/// What the next start would know.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Journal {
    pub(super) folder: Option<PathBuf>,
    /// Why none can be kept.
    pub(super) problem: Option<String>,
    /// Journals that could not be understood, and were kept under another name.
    pub(super) put_aside: Vec<PathBuf>,
    /// How many supervisors of this user run now.
    pub(super) supervisors: usize,
}

/// The daemon of the state folder.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Daemon {
    /// None if it does not run, or does not answer.
    pub(super) pid: Option<u32>,
    /// What does not work as it should, by its own word.
    pub(super) warnings: Vec<String>,
}

/// What a killed supervisor left behind.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leftover {
    pub(super) supervisor: Pid,
    pub(super) processes: Vec<Process>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Process {
    pub(super) pid: Pid,
    /// Number and command, for people.
    pub(super) description: String,
}

/// What the kernel offers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Kernel {
    pub(super) version: String,
    pub(super) processes: bool,
    pub(super) pidfd: bool,
    pub(super) pidfd_group: bool,
    pub(super) children_lists: bool,
    pub(super) subreaper: bool,
    pub(super) cgroup2: bool,
    pub(super) controllers: Vec<String>,
    pub(super) memory_pressure: bool,
}

/// What may be used up.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Limits {
    pub(super) processes: Limit,
    pub(super) open_files: Limit,
    pub(super) pid_max: Option<u64>,
}

/// A limit; none is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Limit {
    pub(super) soft: Option<u64>,
    pub(super) hard: Option<u64>,
}

/// A promise that cannot be kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    v: u8,
    ok: bool,
    problems: Vec<Problem>,
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
}

impl Diagnosis {
    /// What makes a promise impossible; not what is merely second best.
    pub(super) fn problems(&self) -> Vec<Problem> {
        [self.blind(), self.escapes(), self.forgets()].into_iter().flatten().collect()
    }

    /// One line of JSON.
    pub(super) fn to_json(&self) -> String {
        let problems = self.problems();
        let answer = Answer { v: 1, ok: problems.is_empty(), problems, diagnosis: self };
        serde_json::to_string(&answer).unwrap_or_default()
    }

    fn blind(&self) -> Option<Problem> {
        (!self.kernel.processes).then(|| Problem {
            message: "the processes of a tree cannot be seen, so nothing that leaves its process \
                      group can be ended"
                .to_owned(),
            hint: Some("mount /proc, in the process namespace that worker runs in".to_owned()),
        })
    }

    fn escapes(&self) -> Option<Problem> {
        let can_escape = match self.trees.tier {
            Tier::Cgroup => false,
            Tier::Subreaper => !self.kernel.subreaper,
            Tier::Group => true,
        };
        can_escape.then(|| Problem {
            message: "a process that leaves its process group and loses its parent before anybody \
                      looks is not found"
                .to_owned(),
            hint: Some("use Linux 3.4 or newer where that matters".to_owned()),
        })
    }

    fn forgets(&self) -> Option<Problem> {
        let problem = self.journal.problem.as_ref()?;
        (self.guardian != Guardian::NotNeeded).then(|| Problem {
            message: format!(
                "no journal can be kept, so if worker and its guardian are both killed, what they \
                 had lives on: {problem}"
            ),
            hint: Some("name a folder that can be written: --state-dir DIR".to_owned()),
        })
    }
}
