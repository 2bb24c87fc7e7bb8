//! There is one daemon per state folder: the one that holds the lock.
//!
//! The kernel lets go of it when its holder ends, however that ends. So there is no stale lock.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure};

const FILE: &str = "daemon.lock";

/// The lock of a state folder, held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The folder of its socket.
    pub run_dir: PathBuf,
}

/// What became of the wish to have a lock.
#[derive(Debug)]
pub enum Try {
    /// We have it.
    Ours(Lock),
    /// Somebody else has it, who may not have said yet who it is.
    Held(Option<Holder>),
}

impl Lock {
    /// Tries to lock a state folder, which is made if it is missing, and says there who we are.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there can be no lock.
    pub fn attempt(state_dir: &Path, run_dir: &Path) -> Result<Try, Failure> {
        attempt(state_dir, run_dir).map_err(|error| {
            let message =
                format!("the state folder cannot be used: {}: {error}", state_dir.display());
            Failure::new(Code::BadConfig, message).hint("name another one: --state-dir DIR")
        })
    }
}

impl Holder {
    /// Who holds the lock of a state folder, or held it last.
    #[must_use]
    pub fn of(state_dir: &Path) -> Option<Self> {
        read(&mut File::open(state_dir.join(FILE)).ok()?)
    }
}

fn attempt(state_dir: &Path, run_dir: &Path) -> io::Result<Try> {
    make_state_dir(state_dir)?;
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.mode(0o600).custom_flags(nofollow).open(state_dir.join(FILE))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Try::Held(read(&mut file))),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let own = Holder { pid: std::process::id(), version, run_dir: run_dir.to_owned() };
    file.set_len(0)?;
    file.write_all(serde_json::to_string(&own)?.as_bytes())?;
    Ok(Try::Ours(Lock { _file: file }))
}

/// For its user alone, as it holds environments, and what the next daemon executes.
pub(crate) fn make_state_dir(state_dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let facts = std::fs::metadata(state_dir)?;
    check(facts.uid(), facts.mode()).map_err(io::Error::other)
}

/// Whether nobody else can put something of theirs in it.
fn check(owner: u32, mode: u32) -> Result<(), String> {
    if owner != geteuid().as_raw() {
        return Err(format!("it belongs to another user (uid {owner})"));
    }
    if mode & 0o002 != 0 {
        let mode = mode & 0o7777;
        return Err(format!("everybody can write to it (mode {mode:04o}): chmod 700 would do"));
    }
    Ok(())
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(1 << 16).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_state_folder_that_others_can_write_to_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        make_state_dir(scratch.path()).unwrap();
        std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = Lock::attempt(scratch.path(), scratch.path()).unwrap_err();
        assert!(refused.message.contains("mode 0777"), "{refused}");
        assert_eq!(refused.code, Code::BadConfig);
        let stranger = geteuid().as_raw() + 1;
        assert!(check(stranger, 0o40700).unwrap_err().contains("another user"));
    }

    #[test]
    fn a_lock_is_held_once_and_says_by_whom() {
        let scratch = tempfile::tempdir().unwrap();
        let (state, run) = (scratch.path().join("state"), scratch.path().join("run"));
        let Try::Ours(lock) = Lock::attempt(&state, &run).unwrap() else { panic!("it was free") };
        let Try::Held(Some(holder)) = Lock::attempt(&state, &run).unwrap() else {
            panic!("it is held, and says by whom")
        };
        assert_eq!((holder.pid, &holder.run_dir), (std::process::id(), &run));
        assert_eq!(Holder::of(&state), Some(holder));
        drop(lock);
        assert!(matches!(Lock::attempt(&state, &run), Ok(Try::Ours(_))));
    }
}
