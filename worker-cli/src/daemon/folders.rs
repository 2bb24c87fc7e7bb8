//! Where things lie in the state folder.

use std::path::{Path, PathBuf};

/// What is kept of a slot. Its names can stand in a path as they are.
pub(super) fn slot(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join("slots").join(name)
}

/// The output of a slot.
pub(super) fn log(state_dir: &Path, name: &str) -> PathBuf {
    slot(state_dir, name).join("log")
}
