//! The means by which trees are kept hold of, as the tests find them: nothing here asks the code
//! under test.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;

use worker_platform_unix::{Shim, Tier, UnixPlatform};

use crate::common::fixture;

/// What a scenario is to run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// No cgroup.
    Subreaper,
    /// A cgroup for each run.
    Cgroup,
    /// The same as an ordinary user, in a cgroup that is handed over to it.
    DelegatedCgroup,
    /// As an ordinary user in a cgroup of somebody else.
    ForeignCgroup,
    /// No cgroup, and a kernel that is too old for some of our calls.
    #[cfg(target_os = "linux")]
    OldKernel,
    /// No cgroup, and an emulator that knows of the uses of clone(2) only fork, vfork and threads.
    #[cfg(target_os = "linux")]
    Emulator,
}

/// An ordinary user.
const NOBODY: u32 = 65_534;

impl Means {
    /// This program with these means; else why it cannot have them.
    pub(crate) fn command(self, program: &Path) -> Result<StdCommand, String> {
        match self {
            Self::Subreaper => Ok(StdCommand::new(program)),
            #[cfg(target_os = "linux")]
            Self::OldKernel | Self::Emulator => Ok(StdCommand::new(program)),
            Self::Cgroup => writable_cgroup().map(|_| StdCommand::new(program)),
            Self::DelegatedCgroup => writable_cgroup().and_then(|home| delegated(&home, program)),
            Self::ForeignCgroup => as_ordinary_user(program),
        }
    }

    /// A platform with these means.
    pub(crate) fn platform(self) -> UnixPlatform {
        #[cfg(target_os = "linux")]
        if self == Self::OldKernel {
            forbid(libc::SYS_close_range, 0);
            return UnixPlatform::new().unwrap();
        }
        #[cfg(target_os = "linux")]
        if self == Self::Emulator {
            forbid(libc::SYS_clone, libc::CLONE_FILES | libc::CLONE_VFORK);
            return UnixPlatform::new().unwrap();
        }
        if self == Self::Subreaper {
            return UnixPlatform::new().unwrap();
        }
        let platform = UnixPlatform::with_cgroups(Shim::program(fixture())).unwrap();
        let has_cgroups = matches!(platform.tier(), Tier::Cgroup { .. });
        assert_eq!(has_cgroups, self != Self::ForeignCgroup, "{:?}", platform.tier());
        platform
    }

    /// Removes what was made for it.
    pub(crate) fn clean_up(self) {
        if self == Self::DelegatedCgroup {
            fs::remove_dir(delegated_to_child_of(&own_cgroup().unwrap())).unwrap();
        }
    }
}

/// From here on this thread and its children have no such system call, if its first argument has all
/// of these flags; see seccomp(2).
#[cfg(target_os = "linux")]
fn forbid(call: libc::c_long, flags: libc::c_int) {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let missing = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let mut steps = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // The number of the call.
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 4, call as u32),
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 16), // Its first argument.
        step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, flags as u32),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, flags as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, missing),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: the program is valid for the length of the call, and concerns this thread alone.
    let forbidden = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    assert_eq!(forbidden, 0, "{}", std::io::Error::last_os_error());
}

/// The folder of the cgroup that this process is in.
pub(crate) fn own_cgroup() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    let point = mount.split(' ').nth(4)?;
    let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
    let name = cgroup.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(point).join(name))
}

/// The cgroup of this process, where one can be made below it.
pub(crate) fn writable_cgroup() -> Result<PathBuf, String> {
    let home = own_cgroup().ok_or("no cgroup of version 2 is mounted here")?;
    let trial = home.join(format!("test-{}", std::process::id()));
    match fs::create_dir(&trial) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(format!("no cgroup can be made in {}: {error}", home.display()))
        }
        Ok(()) | Err(_) => {
            let _ = fs::remove_dir(&trial); // Another test of this process may have done it.
            Ok(home)
        }
    }
}

/// The names of the folders of this process, in the cgroup that it is in.
pub(crate) fn own_folders() -> Vec<String> {
    let Some(home) = own_cgroup() else { return Vec::new() };
    let entries = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.filter_map(|name| name.into_string().ok());
    // Many are PID 1, each in a namespace of its own.
    let namespace = fs::metadata("/proc/self/ns/pid").unwrap().ino();
    let part = format!(".{namespace}.{}.", std::process::id());
    names.filter(|name| name.starts_with("worker.") && name.contains(&part)).collect()
}

/// Enters a cgroup that belongs to an ordinary user, and becomes that user.
fn delegated(home: &Path, program: &Path) -> Result<StdCommand, String> {
    let as_user = as_ordinary_user(program)?;
    let folder = delegated_to_child_of(home);
    fs::create_dir(&folder).map_err(|error| error.to_string())?;
    for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
        std::os::unix::fs::chown(folder.join(file), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = StdCommand::new("/bin/sh");
    command.args(["-c", "echo 0 > \"$0/cgroup.procs\" && exec \"$@\""]).arg(&folder);
    command.arg(as_user.get_program()).args(as_user.get_args());
    Ok(command)
}

fn as_ordinary_user(program: &Path) -> Result<StdCommand, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can become another user".to_owned());
    }
    let setpriv = |words: &[&str]| {
        let mut command = StdCommand::new("setpriv");
        command.args(["--reuid", &NOBODY.to_string(), "--regid", &NOBODY.to_string()]);
        command.args(["--clear-groups", "--"]).args(words);
        command
    };
    let program = program.to_str().unwrap();
    #[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
    let may_execute = setpriv(&["test", "-x", program]).status();
    match may_execute {
        Ok(status) if status.success() => Ok(setpriv(&[program])),
        Ok(_) => Err(format!("an ordinary user cannot reach {program}")),
        Err(error) => Err(format!("setpriv: {error}")),
    }
}

/// One for each test.
fn delegated_to_child_of(home: &Path) -> PathBuf {
    let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
    home.join(format!("test-{}-{test}", std::process::id()))
}
