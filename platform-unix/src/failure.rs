//! Why a spawn failed, for the reducer and for a person.
//!
//! A spawn says one error number for the folder, the program and its interpreter alike, so
//! each is looked at again afterwards.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use worker_core::{SpawnError, SpawnFailure};

use crate::program::check;

/// What went wrong when `program` was to be run in `dir`.
pub(crate) fn explain(program: &Path, dir: &Path, error: &io::Error) -> SpawnError {
    let name = program.display();
    let (failure, message) = match errno(error) {
        Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => (
            SpawnFailure::NoResources,
            format!("{name} cannot be spawned: {error}; see ulimit -u, ulimit -n and free memory"),
        ),
        Some(Errno::TOOBIG) => (
            SpawnFailure::Other,
            format!("{name} cannot be spawned: its arguments and environment are too long"),
        ),
        Some(Errno::NOEXEC) => (
            SpawnFailure::NotExecutable,
            format!("{name} is no program of this machine, and has no #! line"),
        ),
        _ => return explain_paths(program, dir, error),
    };
    SpawnError { failure, message }
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

fn explain_paths(program: &Path, dir: &Path, error: &io::Error) -> SpawnError {
    if let Some(folder) = explain_folder(dir) {
        return folder;
    }
    if let Err(unfit) = check(program) {
        return unfit.explain(program);
    }
    let name = program.display();
    let (failure, message) = match interpreter(program) {
        Some(interpreter) if check(&interpreter).is_err() => (
            SpawnFailure::NotExecutable,
            format!(
                "{name} cannot be executed: its interpreter {} (in its #! line) is missing or may \
                 not be executed",
                interpreter.display()
            ),
        ),
        None if errno(error) == Some(Errno::NOENT) => (
            SpawnFailure::NotExecutable,
            format!("{name} cannot be executed: the loader that it was built for is missing"),
        ),
        _ if errno(error) == Some(Errno::ACCESS) => (
            SpawnFailure::NotExecutable,
            format!("{name} may not be executed: {error}; is its file system mounted noexec?"),
        ),
        _ => (SpawnFailure::Other, format!("{name} cannot be spawned: {error}")),
    };
    SpawnError { failure, message }
}

fn explain_folder(dir: &Path) -> Option<SpawnError> {
    let name = dir.display();
    let message = match std::fs::metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("no such folder to run in: {name}; create it or correct its name")
        }
        Err(error) => format!("the folder to run in, {name}, cannot be looked at: {error}"),
        Ok(metadata) if !metadata.is_dir() => format!("{name} is not a folder to run in"),
        Ok(_) => {
            accessat(CWD, dir, Access::EXEC_OK, AtFlags::EACCESS).err()?;
            format!("the folder to run in, {name}, may not be entered: permission denied")
        }
    };
    Some(SpawnError { failure: SpawnFailure::BadFolder, message })
}

/// The interpreter that a `#!` line names.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    File::open(program).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let path = line.split(blank).find(|word| !word.is_empty())?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}
