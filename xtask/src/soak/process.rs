//! What a process holds, as `/proc` tells it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The descriptors that a process was given: it need not be the one that writes there.
const STANDARD: [&str; 3] = ["0", "1", "2"];

/// What a process held when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
    /// Children that are dead and not reaped.
    pub(crate) zombies: u64,
    /// The folders in its cgroup that are named after it, and those in them.
    pub(crate) cgroups: u64,
    /// Bytes in regular files that it has opened, such as a journal.
    pub(crate) file_bytes: u64,
    pub(crate) resident_kb: u64,
    /// What the machine would have back without it.
    pub(crate) private_kb: u64,
}

impl Reading {
    /// Looks at it now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let rollup = read(pid, "smaps_rollup")?;
        let private = ["Private_Clean:", "Private_Dirty:"].map(|name| kilobytes(&rollup, name));
        Ok(Self {
            descriptors: count(&of(pid, "fd"))?,
            threads: count(&of(pid, "task"))?,
            zombies: children(pid)?.into_iter().filter(|&child| is_zombie(child)).count() as u64,
            cgroups: cgroups(pid),
            file_bytes: file_bytes(pid)?,
            resident_kb: kilobytes(&read(pid, "status")?, "VmRSS:"),
            private_kb: private.into_iter().sum(),
        })
    }
}

/// The children of all of its threads, dead ones included.
pub(crate) fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(of(pid, "task"))? {
        let list = fs::read_to_string(thread?.path().join("children"))?;
        children.extend(list.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Ok(children)
}

fn of(pid: u32, what: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(what)
}

fn read(pid: u32, file: &str) -> io::Result<String> {
    fs::read_to_string(of(pid, file))
}

fn count(folder: &Path) -> io::Result<u64> {
    Ok(fs::read_dir(folder)?.count() as u64)
}

/// The state stands behind the name, which is in parentheses.
fn is_zombie(pid: u32) -> bool {
    let stat = read(pid, "stat").unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('Z'))
}

/// Of a line like `VmRSS:      5324 kB`.
fn kilobytes(lines: &str, name: &str) -> u64 {
    let value = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

fn file_bytes(pid: u32) -> io::Result<u64> {
    let is_own = |number: &OsString| !STANDARD.iter().any(|standard| number == *standard);
    let descriptors = fs::read_dir(of(pid, "fd"))?.flatten();
    let descriptors = descriptors.filter(|descriptor| is_own(&descriptor.file_name()));
    // Follows the link, also to a file that has no name any more.
    let files = descriptors.filter_map(|descriptor| fs::metadata(descriptor.path()).ok());
    Ok(files.filter(fs::Metadata::is_file).map(|file| file.len()).sum())
}

/// None where there are no cgroups.
fn cgroups(pid: u32) -> u64 {
    let Some(home) = cgroup_folder(pid) else { return 0 };
    let part = format!(".{pid}.");
    let is_own = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("worker.") && name.contains(&part)
    };
    let own = folders_in(&home).into_iter().filter(is_own);
    own.map(|folder| 1 + folders_in(&folder).len() as u64).sum()
}

/// Where cgroups of version 2 are mounted as a whole.
fn cgroup_folder(pid: u32) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    let cgroup = read(pid, "cgroup").ok()?;
    let name = cgroup.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(mount.split(' ').nth(4)?).join(name))
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_stand_behind_their_name() {
        let lines = "VmHWM:\t    9000 kB\nVmRSS:\t    5324 kB\nThreads:\t1\n";
        assert_eq!(kilobytes(lines, "VmRSS:"), 5324);
        assert_eq!(kilobytes(lines, "Threads:"), 0, "these are no kilobytes");
    }
}
