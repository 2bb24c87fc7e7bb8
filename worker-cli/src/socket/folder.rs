//! A folder that nobody but its user can look into.
//!
//! Whoever can write to it could put a socket of their own there, and would be sent environments.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{Code, Failure};

const MODE: u32 = 0o700;

/// Such a folder, which is held on to: another one of the same name is not it.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
    folder: File,
}

impl PrivateFolder {
    /// Opens the folder; makes it if it is missing.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it is somebody else's or open to others, or if it cannot be made.
    pub fn open_or_make(path: &Path) -> Result<Self, Failure> {
        let made = DirBuilder::new().recursive(true).mode(MODE).create(path);
        made.map_err(|error| unusable(path, &error))?;
        let missing = || unusable(path, &io::ErrorKind::NotFound.into());
        Self::open(path)?.ok_or_else(missing)
    }

    /// Opens the folder. None if it is missing.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it is somebody else's or open to others.
    pub fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let folder = match File::open(path) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, &error)),
        };
        let facts = folder.metadata().map_err(|error| unusable(path, &error))?;
        if !facts.is_dir() {
            return Err(unusable(path, &io::ErrorKind::NotADirectory.into()));
        }
        check(path, facts.uid(), facts.mode())?;
        Ok(Some(Self { path: path.to_owned(), folder }))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself.
    #[must_use]
    pub fn as_file(&self) -> &File {
        &self.folder
    }
}

fn check(path: &Path, owner: u32, mode: u32) -> Result<(), Failure> {
    let path = path.display();
    let own = geteuid().as_raw();
    if owner != own {
        let message =
            format!("the folder of the socket belongs to another user (uid {owner}): {path}");
        let hint = format!("remove it, or hand it over: chown {own} {path}");
        return Err(Failure::new(Code::NoDaemon, message).hint(hint));
    }
    if mode & 0o077 != 0 {
        let mode = mode & 0o7777;
        let message =
            format!("the folder of the socket is open to others (mode {mode:04o}): {path}");
        return Err(Failure::new(Code::NoDaemon, message).hint(format!("chmod 700 {path}")));
    }
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("the folder of the socket cannot be used: {}: {error}", path.display());
    Failure::new(Code::NoDaemon, message).hint("name another state folder: --state-dir DIR")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_is_made_for_its_user_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/run");
        assert!(PrivateFolder::open(&path).unwrap().is_none());
        PrivateFolder::open_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, MODE);
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_refused_with_how_to_mend_it() {
        let scratch = tempfile::tempdir().unwrap();
        for mode in [0o750, 0o701, 0o777] {
            fs::set_permissions(scratch.path(), Permissions::from_mode(mode)).unwrap();
            let failure = PrivateFolder::open_or_make(scratch.path()).unwrap_err();
            assert!(failure.message.contains(&format!("mode 0{mode:o}")), "{failure}");
            let mend = format!("chmod 700 {}", scratch.path().display());
            assert_eq!(failure.hint, Some(mend));
        }
        assert_eq!(fs::metadata(scratch.path()).unwrap().mode() & 0o7777, 0o777, "left alone");
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let stranger = geteuid().as_raw() + 1;
        let failure = check(Path::new("/run/w"), stranger, 0o40700).unwrap_err();
        assert!(failure.message.contains(&format!("another user (uid {stranger})")), "{failure}");
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(PrivateFolder::open(file.path()).is_err());
    }
}
