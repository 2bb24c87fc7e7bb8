//! The matrix in the README, between two marks.

use std::fs;
use std::path::PathBuf;

use super::cell::{Cell, Outcome};
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
    let shown = shown(matrix);
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

/// Checks that it shows what was found. Where it says that something cannot be kept, it may have been
/// kept by chance.
///
/// # Errors
///
/// The cells that it shows otherwise.
pub(super) fn compare(matrix: &Matrix) -> Result<(), String> {
    let text = read()?;
    let (_, shown, _) = divide(&text)?;
    let tried = matrix.found.iter().filter(|(_, it)| !matches!(it, Outcome::Skipped(_)));
    let faults: Vec<_> = tried.filter_map(|(cell, found)| fault(shown, cell, found)).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn fault(shown: &str, cell: &Cell, found: &Outcome) -> Option<String> {
    let word = word_of(shown, cell).unwrap_or("nothing");
    let by_chance = (word, found) == ("cannot", &Outcome::Zero);
    let is_right = word == found.word() || by_chance;
    (!is_right).then(|| format!("README.md shows {word}, not {}: {}", found.word(), cell.name()))
}

/// What it shows of a cell: a table begins with the names of its places and ends with a blank line
/// behind its rows.
fn word_of<'a>(shown: &'a str, cell: &Cell) -> Option<&'a str> {
    let mut blocks = shown.split("\n\n").skip_while(|block| !names(block, cell));
    let row = blocks.nth(1)?.lines().find_map(|line| line.strip_prefix(cell.specimen.name))?;
    let index = End::ALL.iter().position(|end| *end == cell.end)?;
    row.split_whitespace().nth(index)
}

fn names(block: &str, cell: &Cell) -> bool {
    let unwrapped = block.split_whitespace().collect::<Vec<_>>().join(" ");
    unwrapped.trim_start_matches("```text ").split("; ").any(|name| name == cell.place.name())
}

fn shown(matrix: &Matrix) -> String {
    format!("```text\n{}\n{}\n```\n", matrix.text(), matrix.summary())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_found_in_what_is_written() {
        let is_odd = |cell: &Cell| cell.specimen.name == "plain" && cell.end == End::HangUp;
        let outcome = |cell: &Cell| {
            if is_odd(cell) { Outcome::Cannot("for no reason") } else { Outcome::Zero }
        };
        let matrix = Matrix { found: Cell::all().map(|cell| (cell, outcome(&cell))).collect() };
        let shown = shown(&matrix);
        for (cell, found) in &matrix.found {
            assert_eq!(word_of(&shown, cell), Some(found.word()), "{}", cell.name());
            assert_eq!(fault(&shown, cell, found), None);
            assert_eq!(fault(&shown, cell, &Outcome::Zero), None, "also by chance");
            let other = Outcome::Cannot("at all");
            assert_eq!(fault(&shown, cell, &other).is_some(), !is_odd(cell));
        }
    }
}
