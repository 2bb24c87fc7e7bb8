//! The ground that the cells stand on: programs, folders, cgroups and users, and which of them the
//! machine has.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cell::{Place, Tier, User};
use crate::cargo;
use crate::step::Failure;

/// An ordinary user.
const NOBODY: u32 = 65_534;

/// A folder with the programs, within reach of every user. Removed in the end.
pub(super) struct Ground {
    folder: PathBuf,
    cgroups: Result<PathBuf, String>,
    has_option: bool,
}

impl Ground {
    /// Copies the programs that were built.
    pub(super) fn prepare() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("worker-zoo-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let mut ground = Self { folder, cgroups: writable_cgroup(), has_option: false };
        fs::set_permissions(&ground.folder, fs::Permissions::from_mode(0o755))?;
        for program in ["worker", "worker-fixture"] {
            fs::copy(cargo::target_folder().join("debug").join(program), ground.program(program))?;
        }
        let help = Command::new(ground.program("worker")).args(["run", "--help"]).output()?;
        ground.has_option = String::from_utf8_lossy(&help.stdout).contains("--cgroup");
        Ok(ground)
    }

    /// The same in the process of a cell.
    pub(super) fn at(folder: PathBuf, has_option: bool) -> Self {
        Self { folder, cgroups: writable_cgroup(), has_option }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn has_option(&self) -> bool {
        self.has_option
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The options of `worker run` that choose the tier.
    pub(super) fn options(&self, tier: Tier) -> &'static [&'static str] {
        match tier {
            Tier::Subreaper if self.has_option => &["--cgroup", "never"],
            Tier::Subreaper | Tier::Cgroup => &[],
        }
    }

    /// What this machine lacks for a place.
    pub(super) fn lacks(&self, place: Place) -> Option<String> {
        self.lacks_user(place.user).or_else(|| self.lacks_tier(place.tier))
    }

    fn lacks_user(&self, user: User) -> Option<String> {
        match (user, is_root()) {
            (User::Root, false) => Some("this user is not root".to_owned()),
            (User::Ordinary, true) => self.cannot_become_ordinary(),
            (User::Root, true) | (User::Ordinary, false) => None,
        }
    }

    fn cannot_become_ordinary(&self) -> Option<String> {
        let worker = self.program("worker");
        let [setpriv, words @ ..] = &become_ordinary()[..] else { return None };
        let mut command = Command::new(setpriv);
        command.args(words).args(["test", "-x"]).arg(&worker).stderr(Stdio::null());
        match command.status() {
            Ok(status) if status.success() => None,
            Ok(_) => Some(format!("an ordinary user cannot execute {}", worker.display())),
            Err(error) => Some(format!("setpriv, by which root becomes another user: {error}")),
        }
    }

    fn lacks_tier(&self, tier: Tier) -> Option<String> {
        match (tier, &self.cgroups) {
            (Tier::Subreaper, _) => None,
            (Tier::Cgroup, _) if !self.has_option => {
                Some("this `worker run` makes no cgroups".to_owned())
            }
            (Tier::Cgroup, Err(why)) => Some(why.clone()),
            (Tier::Cgroup, Ok(_)) => None,
        }
    }

    /// A cgroup for one cell. Inside of another one: a start also looks at the cgroups beside its own,
    /// and would find what is left in other cells.
    pub(super) fn make_cgroup(&self, user: User) -> Result<PathBuf, String> {
        let outer = self.cgroups.clone()?.join(format!("worker-zoo-{}", std::process::id()));
        let folder = outer.join("cell");
        let make = || {
            fs::create_dir(&outer)?;
            fs::create_dir(&folder)?;
            for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                hand_over(&folder.join(file), user)?;
            }
            Ok(())
        };
        make().map(|()| folder.clone()).map_err(|error: io::Error| error.to_string())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // A cell stands on the ground of the runner, which removes it.
        if self.folder.ends_with(format!("worker-zoo-{}", std::process::id())) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Gives a file to the user that a cell is about.
pub(super) fn hand_over(file: &Path, user: User) -> io::Result<()> {
    if user == User::Ordinary && is_root() {
        return chown(file, Some(NOBODY), Some(NOBODY));
    }
    Ok(())
}

/// The words before a command that make it one of this user.
pub(super) fn becoming(user: User) -> Vec<String> {
    if user == User::Ordinary && is_root() { become_ordinary() } else { Vec::new() }
}

fn become_ordinary() -> Vec<String> {
    let id = NOBODY.to_string();
    ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"].map(str::to_owned).to_vec()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The cgroup of this process, where one can be made below it.
fn writable_cgroup() -> Result<PathBuf, String> {
    let home = own_cgroup().ok_or("no cgroup of version 2 is mounted here")?;
    let trial = home.join(format!("worker-zoo-trial-{}", std::process::id()));
    fs::create_dir(&trial)
        .and_then(|()| fs::remove_dir(&trial))
        .map_err(|error| format!("no cgroup can be made in {}: {error}", home.display()))?;
    Ok(home)
}

fn own_cgroup() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
    let name = cgroup.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(mount.split(' ').nth(4)?).join(name))
}

/// Builds what is to be tried.
pub(super) fn build() -> Result<(), Failure> {
    let features = "--features worker-platform-unix/fixture";
    let packages = "--package worker-cli --package worker-platform-unix";
    cargo::Cargo::new(&format!("build {packages} {features} --bins")).run().map(drop)
}
