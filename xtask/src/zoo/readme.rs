//! The matrix in the README, between two marks.

use std::fs;
use std::path::PathBuf;

use super::end::End;
use super::specimen::SPECIMENS;
use super::table::Matrix;
use crate::cargo;

const BEGIN: &str = "<!-- zoo: written by `cargo xtask zoo --readme` -->\n";
const END: &str = "<!-- /zoo -->\n";

/// Writes the matrix. One that has failures or gaps is refused.
///
/// # Errors
///
/// Why it was not written.
pub(super) fn write(matrix: &Matrix) -> Result<(), String> {
    if matrix.has_failed() {
        return Err("README.md was left alone, since cells have failed".to_owned());
    }
    let text = read()?;
    let (before, _, after) = divide(&text)?;
    let shown = format!("```text\n{}\n{}\n```\n", matrix.text(), matrix.summary());
    let text = format!("{before}{BEGIN}{shown}{END}{after}");
    fs::write(path(), text).map_err(|error| format!("README.md: {error}"))
}

/// Checks that it shows the trees and ends that there are.
///
/// # Errors
///
/// What it does not show.
pub(super) fn check() -> Result<(), String> {
    let text = read()?;
    let (_, shown, _) = divide(&text)?;
    let rows = SPECIMENS.iter().map(|specimen| specimen.name);
    let columns = End::ALL.into_iter().flat_map(End::heading);
    match rows.chain(columns).find(|word| !shown.contains(word)) {
        Some(word) => Err(format!("the matrix in README.md does not show `{word}`")),
        None => Ok(()),
    }
}

fn divide(text: &str) -> Result<(&str, &str, &str), String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        rest.split_once(END).map(|(shown, after)| (before, shown, after))
    });
    parts.ok_or_else(|| format!("README.md lacks the marks {BEGIN} and {END}"))
}

fn read() -> Result<String, String> {
    fs::read_to_string(path()).map_err(|error| format!("README.md: {error}"))
}

fn path() -> PathBuf {
    cargo::root().join("README.md")
}
