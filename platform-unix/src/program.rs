//! Finding a program, as `execvp(3)` does.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use worker_core::{SpawnError, SpawnFailure};

/// Where programs are looked for without a PATH: what glibc and macOS use then.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The absolute path of a program.
///
/// A name with a `/` is a path, relative to `dir`; any other is looked for in the folders of
/// `path` (the PATH of the process to be), an empty one of which means `dir`.
///
/// # Errors
///
/// [`SpawnFailure::NotFound`] if there is no such file, [`SpawnFailure::NotExecutable`] if there
/// are only folders or files that may not be executed. The message names what was tried.
pub fn resolve_program(
    name: &OsStr,
    dir: &Path,
    path: Option<&OsStr>,
) -> Result<PathBuf, SpawnError> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if name.is_empty() {
        return Err(error(SpawnFailure::NotFound, "the name of the program is empty".to_owned()));
    }
    if name.as_bytes().contains(&b'/') { given(name, &dir) } else { look_up(name, &dir, path) }
}

fn given(name: &OsStr, dir: &Path) -> Result<PathBuf, SpawnError> {
    let program = dir.join(name);
    match check(&program) {
        Ok(()) => Ok(program),
        Err(Unfit::Missing) if !Path::new(name).is_absolute() => Err(error(
            SpawnFailure::NotFound,
            format!(
                "no such file: {} ({} in the folder {})",
                program.display(),
                name.display(),
                dir.display()
            ),
        )),
        Err(unfit) => Err(unfit.explain(&program)),
    }
}

fn look_up(name: &OsStr, dir: &Path, path: Option<&OsStr>) -> Result<PathBuf, SpawnError> {
    let (mut rejected, mut searched) = (None, Vec::new());
    for folder in folders(path.unwrap_or(OsStr::new(DEFAULT_PATH)), dir) {
        let program = folder.join(name);
        match check(&program) {
            Ok(()) => return Ok(program),
            Err(Unfit::Missing) => searched.push(folder.display().to_string()),
            // Whether the program is there cannot be known, as little as by a shell.
            Err(Unfit::Unreadable(why)) => {
                searched.push(format!("{} (not searched: {why})", folder.display()));
            }
            // As execvp: go on, but remember why.
            Err(unfit) => rejected = rejected.or(Some(unfit.explain(&program))),
        }
    }
    Err(rejected.unwrap_or_else(|| not_in_path(name, &searched, path.is_some())))
}

fn folders(path: &OsStr, dir: &Path) -> Vec<PathBuf> {
    // `join` of an empty path would add a slash; an absolute one replaces `dir`.
    std::env::split_paths(path)
        .map(|folder| if folder.as_os_str().is_empty() { dir.to_owned() } else { dir.join(folder) })
        .collect()
}

fn not_in_path(name: &OsStr, searched: &[String], path_is_set: bool) -> SpawnError {
    let place = if path_is_set { "PATH" } else { "the default folders (PATH is not set)" };
    let message = format!(
        "no program {} in {place}: {}; install it, correct its name, or give its path",
        name.display(),
        searched.join(", "),
    );
    error(SpawnFailure::NotFound, message)
}

/// Why a path is not a program.
pub(crate) enum Unfit {
    Missing,
    Folder,
    NotAFile,
    NotPermitted,
    Unreadable(io::Error),
}

/// Whether a path is a program that we may execute.
pub(crate) fn check(program: &Path) -> Result<(), Unfit> {
    let metadata = match std::fs::metadata(program) {
        Ok(metadata) => metadata,
        Err(error) => return Err(missing_or_unreadable(error)),
    };
    if metadata.is_dir() {
        return Err(Unfit::Folder);
    }
    if !metadata.is_file() {
        return Err(Unfit::NotAFile);
    }
    // Asks for the effective user, as exec does.
    accessat(CWD, program, Access::EXEC_OK, AtFlags::EACCESS).map_err(|_| Unfit::NotPermitted)
}

fn missing_or_unreadable(error: io::Error) -> Unfit {
    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
        return Unfit::Missing;
    }
    Unfit::Unreadable(error)
}

impl Unfit {
    /// For a person.
    pub(crate) fn explain(&self, program: &Path) -> SpawnError {
        let program = program.display();
        let (failure, message) = match self {
            Self::Missing => (SpawnFailure::NotFound, format!("no such file: {program}")),
            Self::Folder => {
                (SpawnFailure::NotExecutable, format!("{program} is a folder, not a program"))
            }
            Self::NotAFile => {
                (SpawnFailure::NotExecutable, format!("{program} is not a regular file"))
            }
            Self::NotPermitted => (
                SpawnFailure::NotExecutable,
                format!("{program} may not be executed: permission denied; try chmod +x"),
            ),
            Self::Unreadable(cause) => {
                (SpawnFailure::NotExecutable, format!("{program} cannot be looked at: {cause}"))
            }
        };
        error(failure, message)
    }
}

fn error(failure: SpawnFailure, message: String) -> SpawnError {
    SpawnError { failure, message }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder_with(programs: &[(&str, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for &(name, mode) in programs {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        folder
    }

    fn failure(name: &str, dir: &Path, path: &str) -> SpawnError {
        resolve_program(OsStr::new(name), dir, Some(OsStr::new(path))).unwrap_err()
    }

    #[test]
    fn a_name_with_a_slash_is_relative_to_the_folder() {
        let folder = folder_with(&[("bin/tool", 0o755)]);
        let found = resolve_program(OsStr::new("bin/tool"), folder.path(), None).unwrap();
        assert_eq!(found, folder.path().join("bin/tool"));
        let error = failure("./tool", folder.path(), "/bin");
        assert_eq!(error.failure, SpawnFailure::NotFound);
        assert!(error.message.contains("./tool"), "{error}");
    }

    #[test]
    fn a_bare_name_is_looked_for_in_each_folder_of_path_in_turn() {
        let folder = folder_with(&[("a/other", 0o755), ("b/tool", 0o755), ("c/tool", 0o755)]);
        let path = OsString::from("a:b:c");
        let found = resolve_program(OsStr::new("tool"), folder.path(), Some(&path)).unwrap();
        assert_eq!(found, folder.path().join("b/tool"));
    }

    #[test]
    fn an_empty_folder_in_path_means_the_folder_to_run_in() {
        let folder = folder_with(&[("tool", 0o755)]);
        let path = OsString::from("/nowhere:");
        let found = resolve_program(OsStr::new("tool"), folder.path(), Some(&path)).unwrap();
        assert_eq!(found, folder.path().join("tool"));
    }

    #[test]
    fn a_file_that_may_not_be_executed_is_passed_over_and_remembered() {
        let folder = folder_with(&[("a/tool", 0o644), ("b/tool", 0o755)]);
        let path = OsString::from("a:b");
        let found = resolve_program(OsStr::new("tool"), folder.path(), Some(&path)).unwrap();
        assert_eq!(found, folder.path().join("b/tool"));
        let error = failure("tool", folder.path(), "a:/nowhere");
        assert_eq!(error.failure, SpawnFailure::NotExecutable);
        assert!(error.message.contains("a/tool may not be executed"), "{error}");
    }

    #[test]
    fn a_missing_program_names_every_folder_that_was_tried() {
        let folder = folder_with(&[]);
        let error = failure("tool", folder.path(), "/nowhere:/neither");
        assert_eq!(error.failure, SpawnFailure::NotFound);
        assert!(error.message.contains("tool in PATH: /nowhere, /neither;"), "{error}");
        let error = resolve_program(OsStr::new("no-such"), folder.path(), None).unwrap_err();
        assert!(error.message.contains("PATH is not set): /bin, /usr/bin;"), "{error}");
    }

    #[test]
    fn a_folder_that_may_not_be_searched_is_said_so_and_hides_no_other() {
        if rustix::process::geteuid().is_root() {
            println!("skipped: root may search any folder");
            return;
        }
        let folder = folder_with(&[("a/other", 0o755), ("b/tool", 0o755)]);
        fs::set_permissions(folder.path().join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        let find =
            |name: &str| resolve_program(OsStr::new(name), folder.path(), Some(OsStr::new("a:b")));
        let (found, missing) = (find("tool"), find("missing"));
        fs::set_permissions(folder.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(found.unwrap(), folder.path().join("b/tool"));
        let error = missing.unwrap_err();
        assert_eq!(error.failure, SpawnFailure::NotFound);
        assert!(error.message.contains("/a (not searched: Permission denied"), "{error}");
    }

    #[test]
    fn a_folder_is_not_a_program() {
        let folder = folder_with(&[("a/tool/x", 0o755)]);
        assert_eq!(failure("a/tool", folder.path(), "").failure, SpawnFailure::NotExecutable);
        assert_eq!(failure("tool", folder.path(), "a").failure, SpawnFailure::NotExecutable);
        assert_eq!(failure("", folder.path(), "a").failure, SpawnFailure::NotFound);
    }
}
