//! Programs are found as Windows users spell them.
#![cfg(windows)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use worker_core::{SpawnError, SpawnFailure};
use worker_platform_windows::resolve_program;

/// A folder with `tool.exe` and `script.cmd` and a folder `sub` in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for file in ["tool.exe", "script.cmd"] {
        fs::write(folder.path().join(file), "").expect("a file can be written");
    }
    fs::create_dir(folder.path().join("sub")).expect("a folder can be made");
    folder
}

fn resolve(name: &str, dir: &Path, path: Option<&Path>) -> Result<PathBuf, SpawnError> {
    resolve_program(OsStr::new(name), dir, path.map(Path::as_os_str))
}

#[test]
fn a_bare_name_is_looked_up_in_path_with_and_without_extension() {
    let (folder, elsewhere) = (folder(), Path::new(r"C:\"));
    let in_path = Some(folder.path());
    for name in ["tool", "tool.exe"] {
        assert_eq!(resolve(name, elsewhere, in_path), Ok(folder.path().join("tool.exe")));
    }
    assert_eq!(resolve("script", elsewhere, in_path), Ok(folder.path().join("script.cmd")));
}

#[test]
fn a_bare_name_is_not_looked_up_in_the_folder_to_run_in() {
    let folder = folder();
    let error = resolve("tool", folder.path(), Some(Path::new(r"C:\nowhere"))).unwrap_err();
    assert_eq!(error.failure, SpawnFailure::NotFound);
    assert!(error.message.contains(r"tool: PATH is C:\nowhere"), "{error}");
    assert!(resolve("tool", folder.path(), None).unwrap_err().message.contains("PATH is not set"));
}

#[test]
fn a_path_is_relative_to_the_folder_to_run_in() {
    let folder = folder();
    let found = resolve(r".\tool", folder.path(), None).expect("it is there");
    assert!(found.is_absolute() && found.ends_with("tool.exe"));
    let error = resolve(r".\missing", folder.path(), None).unwrap_err();
    assert_eq!(error.failure, SpawnFailure::NotFound);
}

#[test]
fn a_folder_is_not_executable() {
    let folder = folder();
    let error = resolve(r".\sub", folder.path(), None).unwrap_err();
    assert_eq!(error.failure, SpawnFailure::NotExecutable);
    assert!(error.message.contains("it is a folder"), "{error}");
}
