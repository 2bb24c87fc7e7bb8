//! Programs that a test writes.
#![expect(clippy::disallowed_methods, reason = "a test has no reaper")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file with a program for `sh`. Another process writes it: what a child that is just being
/// spawned here has open for writing cannot be executed.
pub(crate) fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#;
    let written = Command::new("sh").args(["-c", write, "sh", text]).arg(&path).status().unwrap();
    assert!(written.success(), "{}", path.display());
    path
}
