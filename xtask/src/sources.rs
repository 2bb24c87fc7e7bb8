//! The Rust files of the workspace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cargo;

/// A Rust file.
pub(crate) struct Source {
    /// Its path from the root of the workspace, with `/` between the parts.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// Every Rust file of the workspace, by path.
///
/// # Errors
///
/// The first folder or file that cannot be read.
pub(crate) fn all() -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(cargo::root(), &mut paths)?;
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !is_skipped(&path) {
                collect(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Build folders, and those of tools.
fn is_skipped(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with('.') || name.starts_with("mutants.out") || name == "target"
}

fn read(path: &Path) -> io::Result<Source> {
    let text = fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let inside = path.strip_prefix(cargo::root()).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    Ok(Source { path: parts.join("/"), text })
}
