//! The cgroup that this process is in, and where its folder is.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::Pid;

/// The cgroup that this process was in when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// As `/proc/PID/cgroup` names it.
    name: String,
    dir: PathBuf,
    /// The folder of the cgroup that it is in, where that can be seen.
    above: Option<PathBuf>,
}

impl Home {
    /// # Errors
    ///
    /// Why there is none, for a person.
    pub(crate) fn of_this_process() -> Result<Self, String> {
        let cgroup = fs::read_to_string("/proc/self/cgroup")
            .map_err(|error| format!("this system has no cgroups: /proc/self/cgroup: {error}"))?;
        let mounts = fs::read("/proc/self/mountinfo")
            .map_err(|error| format!("/proc/self/mountinfo cannot be read: {error}"))?;
        Self::find(&cgroup, &mounts)
    }

    fn find(cgroup: &str, mounts: &[u8]) -> Result<Self, String> {
        let name = unified(cgroup).ok_or("this system has no cgroups of version 2")?;
        let mounts: Vec<_> = mounts.split(|&byte| byte == b'\n').filter_map(Mount::parse).collect();
        if mounts.is_empty() {
            return Err("cgroups of version 2 are not mounted".to_owned());
        }
        let found = mounts.iter().find_map(|mount| Some((mount, mount.folder_of(name)?)));
        let (mount, dir) =
            found.ok_or_else(|| format!("the cgroup {name} of this process is not mounted"))?;
        let above = dir.parent().filter(|above| above.starts_with(&mount.point));
        Ok(Self { name: name.to_owned(), above: above.map(Path::to_owned), dir })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of the cgroup that this one is in. None where this is all that can be seen.
    pub(super) fn above(&self) -> Option<&Path> {
        self.above.as_deref()
    }

    /// The rest of the name of a cgroup that is below this one.
    pub(super) fn below<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.name.trim_end_matches('/'))?.strip_prefix('/')
    }
}

/// The name of the cgroup that a process is in, or was in when it died.
pub(super) fn cgroup_of(pid: Pid) -> Option<String> {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let name = unified(&cgroup)?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
}

/// The line of version 2 is `0::NAME`.
fn unified(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::"))
}

/// A mount of the hierarchy of version 2, or of a part of it.
#[derive(Debug)]
struct Mount {
    /// Which part, as a name of a cgroup.
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// A line of proc_pid_mountinfo(5); none if it is about something else.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b' ');
        let (root, point) = (fields.nth(3)?, fields.next()?);
        let mut kind = fields.skip_while(|&field| field != b"-");
        (kind.nth(1)? == b"cgroup2")
            .then(|| Self { root: unescaped(root), point: unescaped(point) })
    }

    fn folder_of(&self, name: &str) -> Option<PathBuf> {
        // A cgroup outside of our cgroup namespace is named by a way up.
        let is_outside = name.split('/').any(|part| part == "..");
        let below = Path::new(name).strip_prefix(&self.root).ok().filter(|_| !is_outside)?;
        // To join nothing would add a slash.
        Some(self.point.components().chain(below.components()).collect())
    }
}

/// Blanks and backslashes are written as `\` and three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, behind)) = rest.split_first() {
        let octal = (byte == b'\\').then(|| behind.get(..3)).flatten();
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &behind[3..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:1 - cgroup2 cgroup2 rw
";

    fn dir(cgroup: &str, mounts: &str) -> Result<PathBuf, String> {
        Home::find(cgroup, mounts.as_bytes()).map(|home| home.dir)
    }

    #[test]
    fn the_folder_is_below_the_mount_point() {
        let cgroup = "4:memory:/elsewhere\n0::/user.slice/a.scope\n";
        let expected = PathBuf::from("/sys/fs/cgroup/unified/user.slice/a.scope");
        assert_eq!(dir(cgroup, HYBRID), Ok(expected));
        assert_eq!(dir("0::/\n", HYBRID), Ok(PathBuf::from("/sys/fs/cgroup/unified")));
    }

    #[test]
    fn nothing_above_the_mount_point_is_a_cgroup() {
        let above = |cgroup: &str| Home::find(cgroup, HYBRID.as_bytes()).unwrap().above;
        assert_eq!(above("0::/\n"), None);
        assert_eq!(above("0::/a\n"), Some(PathBuf::from("/sys/fs/cgroup/unified")));
    }

    #[test]
    fn a_mount_may_show_a_part_of_the_hierarchy_only() {
        let mounts = "41 31 0:38 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        let expected = PathBuf::from("/sys/fs/cgroup/x");
        assert_eq!(dir("0::/docker/abc/x\n", mounts), Ok(expected));
        for outside in ["0::/docker/abcd\n", "0::/docker\n", "0::/docker/abc/../other\n"] {
            assert!(dir(outside, mounts).unwrap_err().contains("is not mounted"), "{outside}");
        }
    }

    #[test]
    fn a_mount_point_may_hold_blanks() {
        let mounts = "41 31 0:38 / /a\\040b\\134c rw - cgroup2 cgroup rw\n";
        assert_eq!(dir("0::/\n", mounts), Ok(PathBuf::from("/a b\\c")));
    }

    #[test]
    fn without_version_2_the_reason_is_given() {
        assert!(dir("4:memory:/\n", HYBRID).unwrap_err().contains("version 2"));
        let version_1 = HYBRID.replace("cgroup2", "cgroup");
        assert!(dir("0::/\n", &version_1).unwrap_err().contains("not mounted"));
    }

    #[test]
    fn a_name_is_below_home_by_whole_parts() {
        let home = |name: &str| Home { name: name.to_owned(), dir: PathBuf::new(), above: None };
        assert_eq!(home("/").below("/a/b"), Some("a/b"));
        assert_eq!(home("/a").below("/a/b"), Some("b"));
        assert_eq!(home("/a").below("/ab/b"), None);
        assert_eq!(home("/a").below("/a"), None);
    }
}
