//! Looks at the machine, and touches nothing.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use worker_platform_unix::facts::{self, Facts};
use worker_platform_unix::journal::{Left, Survey, survey};
use worker_platform_unix::{Shim, Tier as PlatformTier};

use super::diagnosis::{
    Daemon, Diagnosis, Guardian, Journal, Kernel, Leftover, Limit, Limits, Process, Tier, Trees,
};
use crate::client::{self, Client};
use crate::journal;
use crate::processes;
use crate::state_dir::StateArgs;

/// # Errors
///
/// If there is no room for a runtime.
pub(super) fn look(state: &StateArgs) -> io::Result<Diagnosis> {
    let tier = tier()?;
    let facts = Facts::look();
    let (journal, leftovers) = journal_and_leftovers(state);
    Ok(Diagnosis {
        trees: trees(tier),
        guardian: guardian(),
        journal,
        daemon: daemon(state),
        leftovers,
        kernel: kernel(facts),
        limits: limits(facts::Limits::look()),
    })
}

fn tier() -> io::Result<PlatformTier> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    Ok(PlatformTier::look(Shim::this_program()))
}

/// One that runs is asked, and none is started.
fn daemon(state: &StateArgs) -> Daemon {
    let health = Client::new(state)
        .and_then(|client| client::block_on(async { client.without_start().health().await }));
    health.map_or_else(
        |_| Daemon::default(),
        |health| Daemon { pid: Some(health.pid), warnings: health.warnings },
    )
}

fn trees(tier: PlatformTier) -> Trees {
    let without = |tier, why| Trees {
        tier,
        folder: None,
        no_cgroups: Some(why),
        mend: cfg!(target_os = "linux").then(mend),
    };
    match tier {
        PlatformTier::Cgroup { folder } => {
            Trees { tier: Tier::Cgroup, folder: Some(folder), no_cgroups: None, mend: None }
        }
        PlatformTier::Subreaper { no_cgroups } => without(Tier::Subreaper, no_cgroups),
        PlatformTier::Group { no_cgroups } => without(Tier::Group, no_cgroups),
    }
}

/// See sd_booted(3).
fn mend() -> String {
    if Path::new("/run/systemd/system").is_dir() {
        "`worker run --cgroup scope -- …` asks systemd for one".to_owned()
    } else {
        "run it as root, or in a cgroup of version 2 that was handed over to this user".to_owned()
    }
}

fn guardian() -> Guardian {
    if std::process::id() == 1 {
        Guardian::NotNeeded
    } else if cfg!(target_os = "linux") {
        Guardian::Stands
    } else {
        Guardian::FindsNothing
    }
}

fn journal_and_leftovers(state: &StateArgs) -> (Journal, Vec<Leftover>) {
    let folder = state.folder().map(|state_dir| journal::folder(&state_dir));
    let surveyed = match &folder {
        Some(folder) => check_usable(folder).and_then(|()| survey(folder)),
        None => Err(io::Error::other("there is no home folder, and no --state-dir")),
    };
    let problem = surveyed.as_ref().err().map(|error| told(folder.as_deref(), error));
    let Survey { live, left, put_aside } = surveyed.unwrap_or_default();
    let leftovers = left.into_iter().map(leftover).collect();
    (Journal { folder, problem, put_aside, supervisors: live }, leftovers)
}

fn told(folder: Option<&Path>, error: &io::Error) -> String {
    folder.map_or_else(|| error.to_string(), |folder| format!("{}: {error}", folder.display()))
}

/// A folder that is missing is made at the first start, if it can be.
fn check_usable(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok());
    let there = there.map_or_else(|| PathBuf::from("/"), Path::to_owned);
    if !there.is_dir() {
        let message = format!("{} is not a folder", there.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
    }
    Ok(access(&there, Access::WRITE_OK | Access::EXEC_OK)?)
}

fn leftover(left: Left) -> Leftover {
    let described = |pid| Process { pid, description: processes::describe(pid) };
    let processes = left.processes.into_iter().map(described).collect();
    Leftover { supervisor: left.supervisor, processes }
}

fn kernel(facts: Facts) -> Kernel {
    Kernel {
        version: facts.kernel,
        processes: facts.processes,
        pidfd: facts.pidfd,
        pidfd_group: facts.pidfd_group,
        children_lists: facts.children_lists,
        subreaper: facts.subreaper,
        cgroup2: facts.cgroup.is_ok(),
        controllers: facts.cgroup.unwrap_or_default(),
        memory_pressure: facts.pressure,
    }
}

fn limits(limits: facts::Limits) -> Limits {
    let limit = |limit: facts::Limit| Limit { soft: limit.soft, hard: limit.hard };
    Limits {
        processes: limit(limits.processes),
        open_files: limit(limits.open_files),
        pid_max: limits.pid_max,
    }
}
