//! Finds programs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use worker_core::{SpawnError, SpawnFailure};

/// What may be left out at the end of a program's name, in the order of the usual `PATHEXT`.
const EXTENSIONS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// The absolute path of the program `name`. A name with a slash or a drive is relative to `dir`; any
/// other is looked up in the folders of `path`, and neither in `dir` nor beside our own program.
///
/// # Errors
///
/// [`SpawnError`] names what was tried: [`NotFound`](SpawnFailure::NotFound), or
/// [`NotExecutable`](SpawnFailure::NotExecutable) if there is only a folder of that name.
pub fn resolve_program(
    name: &OsStr,
    dir: &Path,
    path: Option<&OsStr>,
) -> Result<PathBuf, SpawnError> {
    if Path::new(name).components().count() > 1 || ends_in_separator(name) {
        return resolve_path(&dir.join(name));
    }
    let Some(path) = path else {
        return Err(not_found(name, "PATH is not set"));
    };
    let folders = env::split_paths(path).filter(|folder| folder.is_absolute());
    let found = folders.flat_map(|folder| spellings(&folder.join(name))).find(|it| it.is_file());
    found.ok_or_else(|| not_found(name, &format!("PATH is {}", path.display())))
}

fn resolve_path(path: &Path) -> Result<PathBuf, SpawnError> {
    if let Some(found) = spellings(path).into_iter().find(|it| it.is_file()) {
        return Ok(found);
    }
    if path.is_dir() {
        let message = format!("cannot execute {}: it is a folder", path.display());
        return Err(SpawnError { failure: SpawnFailure::NotExecutable, message });
    }
    Err(not_found(path.as_os_str(), "neither as it is nor with .com, .exe, .bat or .cmd"))
}

fn ends_in_separator(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(b"/") || name.as_encoded_bytes().ends_with(b"\\")
}

/// The path as it is if it has an extension, then with each extension.
fn spellings(path: &Path) -> Vec<PathBuf> {
    let with = |extension: &str| {
        let mut spelled = OsString::from(path);
        spelled.push(".");
        spelled.push(extension);
        PathBuf::from(spelled)
    };
    let as_it_is = path.extension().map(|_| path.to_owned());
    as_it_is.into_iter().chain(EXTENSIONS.map(with)).collect()
}

fn not_found(name: &OsStr, tried: &str) -> SpawnError {
    let message = format!("there is no program {}: {tried}", name.display());
    SpawnError { failure: SpawnFailure::NotFound, message }
}
