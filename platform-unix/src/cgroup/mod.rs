//! Control groups, version 2: where one can be made, each run has a leaf of its own.
//!
//! ```text
//! the cgroup that this process is in
//! └── worker.<boot>.<pid namespace>.<pid>.<start time>      the folder of this supervisor
//!     ├── run-1                                             the leaf of a run
//!     └── run-2
//! ```
//!
//! No controller is needed, so this works beside version 1, too. A process enters its leaf before
//! the first instruction of its program, by way of a [shim](crate::Shim). Whatever it starts is in
//! the leaf as well, unless it moves itself out; what did is a process like any other of a run
//! without a leaf.
//!
//! The facts about the files are those of the kernel's
//! [cgroup-v2.rst](https://docs.kernel.org/admin-guide/cgroup-v2.html).

mod group;
mod home;
mod leaf;
mod leftovers;
mod name;
mod probe;

use std::fs;
use std::io;
use std::path::PathBuf;

use worker_core::RunId;

use crate::Pid;
use crate::shim::Shim;

pub(crate) use self::group::Group;
pub(crate) use self::home::Home;
pub(crate) use self::leaf::{EmptyLeaves, Leaf};
pub(crate) use self::leftovers::folders_of;

/// The folder of this supervisor.
#[derive(Debug)]
pub(crate) struct Cgroups {
    home: Home,
    folder: Group,
    pub(crate) shim: Shim,
    pub(crate) empty_leaves: EmptyLeaves,
    /// Leaves that are done with and could not be removed yet.
    retired: Vec<Leaf>,
    /// That a run goes without a leaf is said once.
    complained: bool,
}

impl Cgroups {
    /// Makes the folder, and tries all that will be relied on. First ends what supervisors that are
    /// gone left behind.
    ///
    /// # Errors
    ///
    /// Why there can be no leaves, for a person.
    pub(crate) fn set_up(shim: Shim, empty_leaves: EmptyLeaves) -> Result<Self, String> {
        let home = Home::of_this_process()?;
        leftovers::end_all(&home);
        Self::make(home, shim, empty_leaves)
    }

    /// Makes the folder and tries all that will be relied on, and touches nothing else.
    ///
    /// # Errors
    ///
    /// As [`set_up`](Self::set_up).
    pub(crate) fn make(home: Home, shim: Shim, empty_leaves: EmptyLeaves) -> Result<Self, String> {
        let folder = Group::at(home.dir().join(name::of_this_process()));
        create(&folder).map_err(|error| {
            let below = home.dir().display();
            format!("no cgroup can be made below {below}: {error}")
        })?;
        let cgroups =
            Self { home, folder, shim, empty_leaves, retired: Vec::new(), complained: false };
        probe::probe(&cgroups.folder, &cgroups.shim)?;
        Ok(cgroups)
    }

    /// Where the leaves are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Makes the leaf of a run, or says once why that cannot be.
    pub(crate) fn make_leaf(&mut self, run: RunId) -> Option<Leaf> {
        let group = Group::at(self.folder.path().join(leaf_name(run)));
        match create_fresh(&group) {
            Ok(()) => Some(Leaf::new(group)),
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }

    /// Says once that a run goes without a leaf.
    pub(crate) fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(
                "a run could not be put into a cgroup of its own ({error}): it is kept hold of as \
                 one without a cgroup"
            );
        }
    }

    /// The run in whose leaf a process is, dead ones included.
    pub(crate) fn run_of(&self, pid: Pid) -> Option<RunId> {
        let name = home::cgroup_of(pid)?;
        let below_home = self.home.below(&name)?;
        let mut parts = below_home.split('/');
        let is_ours = self
            .folder
            .path()
            .file_name()
            .is_some_and(|ours| parts.next().is_some_and(|part| ours == part));
        if !is_ours {
            return None;
        }
        run_of_leaf(parts.next()?)
    }

    /// Removes a leaf, if need be later.
    pub(crate) fn retire(&mut self, leaf: Leaf) {
        self.retired.push(leaf);
        self.remove_retired();
    }

    /// Removes the leaves that could not be removed so far.
    pub(crate) fn remove_retired(&mut self) {
        self.retired.retain(|leaf| leaf.group().remove().is_err());
    }

    /// Moves all processes of a leaf to where this process is.
    pub(crate) fn move_out(&self, leaf: &Leaf) {
        leaf.group().move_processes_to(&Group::at(self.home.dir().to_owned()));
    }
}

/// Leaves the folder behind where processes are in it: whoever guards this process, or the next
/// start, ends them.
impl Drop for Cgroups {
    fn drop(&mut self) {
        self.remove_retired();
        let _ = fs::remove_dir(self.folder.path());
    }
}

/// One that is there already is that of an earlier platform of this process.
fn create(folder: &Group) -> io::Result<()> {
    match fs::create_dir(folder.path()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // For readings of memory, where the controller can be had. No process is in the folder itself,
    // so nothing stands against it.
    let _ = folder.write("cgroup.subtree_control", "+memory");
    // For limits of tasks; each for itself, since one of them may be missing.
    let _ = folder.write("cgroup.subtree_control", "+pids");
    Ok(())
}

/// Makes the folder anew as well, if somebody removed it.
fn create_fresh(leaf: &Group) -> io::Result<()> {
    fs::create_dir_all(leaf.path())?;
    if leaf.is_populated() {
        let message = format!("processes are in {} already", leaf.path().display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    Ok(())
}

fn leaf_name(run: RunId) -> String {
    format!("run-{}", run.get())
}

fn run_of_leaf(name: &str) -> Option<RunId> {
    name.strip_prefix("run-")?.parse().ok().map(RunId::new)
}
