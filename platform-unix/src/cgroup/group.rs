//! One cgroup, as the files in its folder.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::Pid;
use crate::os::{self, Process};

/// A tree that forks faster than it can be killed one by one would keep us here for ever.
const LOOKS: usize = 64;

/// A cgroup by the path of its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    path: PathBuf,
}

impl Group {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where processes enter.
    pub(crate) fn entrance(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// Whether a process lives in it or below it. Zombies do not count. False if it is not there;
    /// true if that cannot be seen.
    pub(crate) fn is_populated(&self) -> bool {
        os::is_populated(&self.events())
    }

    /// Waits until no process lives in it, for so long at most. False if one does.
    pub(crate) fn is_empty_within(&self, patience: Duration) -> bool {
        os::is_unpopulated_within(&self.events(), patience)
    }

    /// The file that tells of changes.
    pub(super) fn events(&self) -> PathBuf {
        self.path.join("cgroup.events")
    }

    /// The living processes in it and below it, in no order. Those of other process namespaces,
    /// which have no number here, are left out.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let mut pids = Vec::new();
        for group in self.with_groups_below() {
            let lines = group.read("cgroup.procs").unwrap_or_default();
            pids.extend(
                lines.lines().filter_map(|line| line.parse().ok()).filter(|&pid: &Pid| pid > 0),
            );
        }
        pids
    }

    /// SIGKILL to every process in it and below it, those included that are being forked.
    ///
    /// # Errors
    ///
    /// If it belongs to somebody else.
    pub(crate) fn kill(&self) -> io::Result<()> {
        match self.write("cgroup.kill", "1") {
            // Before Linux 5.14.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.path.exists() => {
                self.kill_one_by_one();
                Ok(())
            }
            result => result,
        }
    }

    /// The same where the kernel cannot do it. Looks again until there is nobody new.
    pub(super) fn kill_one_by_one(&self) {
        let mut struck = HashSet::new();
        for _ in 0..LOOKS {
            let processes = self.processes().into_iter().filter_map(os::process);
            let fresh: Vec<Process> =
                processes.filter(|process| struck.insert((process.pid, process.start))).collect();
            if fresh.is_empty() {
                return;
            }
            fresh.iter().for_each(|process| os::signal_pinned(process, &[Signal::KILL]));
        }
    }

    /// Moves every process to another group. Looks again until none is left.
    pub(super) fn move_processes_to(&self, target: &Self) {
        for _ in 0..LOOKS {
            let processes = self.processes();
            if processes.is_empty() {
                return;
            }
            for pid in processes {
                let _ = target.write("cgroup.procs", &pid.to_string()); // It may be gone.
            }
        }
    }

    /// Removes it with the groups below it, none of which a process lives in. One that is gone is
    /// no error.
    ///
    /// # Errors
    ///
    /// If a process lives there.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for group in self.with_groups_below().iter().rev() {
            match fs::remove_dir(&group.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Memory that its processes would give back if they ended, in bytes: `anon` + `shmem` of
    /// `memory.stat`. Pages of files are left out, which `memory.current` counts, since the machine
    /// can drop them. None where the memory controller is not enabled.
    pub(crate) fn memory(&self) -> Option<u64> {
        let stat = self.read("memory.stat")?;
        Some(value(&stat, "anon")? + value(&stat, "shmem")?)
    }

    /// How many of its processes the kernel has ended because memory ran out: `oom_kill` of
    /// `memory.events`. None where the memory controller is not enabled.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        value(&self.read("memory.events")?, "oom_kill")
    }

    /// Lets it have so many processes and threads at once, by the pids controller.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where that is not enabled.
    pub(crate) fn limit_tasks(&self, limit: u32) -> io::Result<()> {
        self.write("pids.max", &limit.to_string())
    }

    pub(super) fn write(&self, file: &str, text: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path.join(file))?.write_all(text.as_bytes())
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.path.join(file)).ok()
    }

    /// Each after the one that it is in.
    fn with_groups_below(&self) -> Vec<Self> {
        let mut groups = vec![self.clone()];
        let mut next = 0;
        while let Some(group) = groups.get(next) {
            groups.extend(groups_in(&group.path));
            next += 1;
        }
        groups
    }
}

/// The cgroups right below this folder.
pub(super) fn groups_in(folder: &Path) -> Vec<Group> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| Group::at(entry.path())).collect()
}

/// The value of a line `NAME VALUE`.
fn value(lines: &str, name: &str) -> Option<u64> {
    let value = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(files: &[(&str, &str)]) -> (tempfile::TempDir, Group) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let group = Group::at(folder.path().to_owned());
        (folder, group)
    }

    #[test]
    fn memory_is_what_a_process_would_give_back() {
        let stat = "anon 4096\nfile 1000000\nkernel 500\nshmem 8192\nanon_thp 0\n";
        let (_folder, group) = group(&[("memory.stat", stat)]);
        assert_eq!(group.memory(), Some(12_288));
    }

    #[test]
    fn processes_that_memory_ran_out_for_are_counted() {
        let events = "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n";
        let (_folder, group) = group(&[("memory.events", events)]);
        assert_eq!(group.oom_kills(), Some(2));
    }

    #[test]
    fn without_a_controller_nothing_is_said_about_memory() {
        let (_folder, group) = group(&[]);
        assert_eq!((group.memory(), group.oom_kills()), (None, None));
    }

    #[test]
    fn a_limit_of_tasks_is_kept_by_the_controller_where_there_is_one() {
        let (folder, with) = group(&[("pids.max", "")]);
        with.limit_tasks(64).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("pids.max")).unwrap(), "64");
        let (_folder, without) = group(&[]);
        assert_eq!(without.limit_tasks(64).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// A cgroup below ours with processes in it; none, with a word, where that cannot be.
    fn living_group(count: usize) -> Option<(Group, Vec<Pid>)> {
        let made = super::super::Home::of_this_process().and_then(|home| {
            let group = Group::at(home.dir().join(format!("test-{}-group", std::process::id())));
            let made = fs::create_dir(group.path()).map(|()| group);
            made.map_err(|error| error.to_string())
        });
        let Ok(group) = made.inspect_err(|why| println!("skipped: {why}")) else { return None };
        let sleep = |_| {
            let mut sleep = std::process::Command::new("/bin/sleep");
            let pid = sleep.arg("60").spawn().unwrap().id();
            group.write("cgroup.procs", &pid.to_string()).unwrap();
            Pid::try_from(pid).unwrap()
        };
        let pids = (0..count).map(sleep).collect();
        Some((group, pids))
    }

    #[test]
    fn where_the_kernel_cannot_kill_a_group_its_processes_are_killed_one_by_one() {
        let Some((group, pids)) = living_group(5) else { return };
        assert!(group.is_populated());
        assert!(group.remove().is_err(), "processes live in it");
        group.kill_one_by_one();
        assert!(group.is_empty_within(Duration::from_secs(30)));
        for pid in pids {
            let dead = crate::wait::reap_soon(pid).unwrap();
            assert_eq!(dead.exit, worker_core::Exit::Signal(worker_core::Signal::Kill));
        }
        group.remove().unwrap();
        assert!(!group.path().exists());
    }

    #[test]
    fn a_group_that_is_gone_is_empty_and_removed() {
        let (folder, group) = group(&[]);
        drop(folder);
        assert!(!group.is_populated());
        assert_eq!(group.processes(), []);
        assert!(group.remove().is_ok());
    }

    #[test]
    fn processes_of_groups_below_are_among_those_of_a_group() {
        let (folder, group) = group(&[("cgroup.procs", "7\n0\n12\n")]);
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("below/cgroup.procs"), "13\n").unwrap();
        assert_eq!(group.processes(), [7, 12, 13], "0 is of another process namespace");
    }
}
