//! The matrix as text, at most 100 columns wide.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::cell::{Cell, Outcome, Place};
use super::end::End;
use super::specimen::SPECIMENS;

const NAME_WIDTH: usize = 27;
const WIDTH: usize = 9;
const LINE: usize = 96;

/// What was found, cell by cell.
pub(super) struct Matrix {
    pub(super) found: Vec<(Cell, Outcome)>,
}

impl Matrix {
    /// A table for each place, the same one for places where the same was found; then the reasons.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut tables: Vec<(String, String)> = Vec::new();
        for place in Place::ALL {
            let table = self.table(place);
            match tables.iter_mut().find(|(_, known)| *known == table) {
                Some((names, _)) => *names += &format!("; {}", place.name()),
                None => tables.push((place.name(), table)),
            }
        }
        for (names, table) in tables.iter().filter(|(_, table)| !table.is_empty()) {
            let _ = writeln!(text, "{}\n{}{table}", wrapped(names), heading());
        }
        text + &self.reasons()
    }

    /// How many cells came to what, as one line.
    pub(super) fn summary(&self) -> String {
        let count = |word| self.found.iter().filter(|(_, it)| it.word() == word).count();
        format!(
            "{} cells: {} zero, {} cannot, {} FAILED, {} skipped",
            self.found.len(),
            count("0"),
            count("cannot"),
            count("FAILED"),
            count("-")
        )
    }

    pub(super) fn has_failed(&self) -> bool {
        self.found.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
    }

    /// Empty where nothing was tried.
    fn table(&self, place: Place) -> String {
        let mut here = self.found.iter().filter(|(cell, _)| cell.place == place);
        if here.all(|(_, outcome)| matches!(outcome, Outcome::Skipped(_))) {
            return String::new();
        }
        SPECIMENS.iter().filter_map(|specimen| self.row(place, specimen.name)).collect()
    }

    /// None if no cell of it was asked for.
    fn row(&self, place: Place, tree: &str) -> Option<String> {
        let word = |end: End| {
            let found = self.found.iter().find(|(cell, _)| {
                cell.place == place && cell.specimen.name == tree && cell.end == end
            });
            found.map(|(_, outcome)| outcome.word())
        };
        let words = End::ALL.map(word);
        let line = words.iter().map(|it| format!("{:>WIDTH$}", it.unwrap_or("")));
        let is_asked_for = words.iter().any(Option::is_some);
        is_asked_for.then(|| format!("{tree:<NAME_WIDTH$}{}\n", line.collect::<String>()))
    }

    fn reasons(&self) -> String {
        let cannot = self.found.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Cannot(why) => Some(format!("cannot: {why}")),
            Outcome::Zero | Outcome::Failed(_) | Outcome::Skipped(_) => None,
        });
        let skipped = self.found.iter().filter_map(|(cell, outcome)| match outcome {
            Outcome::Skipped(why) => Some(format!("skipped: {}: {why}", cell.place.name())),
            Outcome::Zero | Outcome::Failed(_) | Outcome::Cannot(_) => None,
        });
        let failed = self.found.iter().filter_map(|(cell, outcome)| match outcome {
            Outcome::Failed(why) => Some(format!("FAILED: {}: {why}", cell.name())),
            Outcome::Zero | Outcome::Skipped(_) | Outcome::Cannot(_) => None,
        });
        let reasons: BTreeSet<String> = cannot.chain(skipped).chain(failed).collect();
        reasons.iter().map(|reason| wrapped(reason)).collect()
    }
}

/// The names of the columns, and what the numbers are.
fn heading() -> String {
    let line = |index: usize| -> String {
        let words = End::ALL.iter().map(|end| format!("{:>WIDTH$}", end.heading()[index]));
        words.collect()
    };
    format!(
        "{:NAME_WIDTH$}{}\n{:<NAME_WIDTH$}{}\n",
        "",
        line(0),
        "processes that are left",
        line(1)
    )
}

/// Further lines are indented.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > LINE {
            lines.push(" ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            let _ = write!(line, "{}{word}", if line.is_empty() { "" } else { " " });
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(outcome: impl Fn(&Cell) -> Outcome) -> Matrix {
        Matrix { found: Cell::all().map(|cell| (cell, outcome(&cell))).collect() }
    }

    #[test]
    fn it_reads_at_100_columns() {
        let long = "a reason that is far longer than one line ".repeat(5);
        let text = matrix(|_| Outcome::Failed(long.clone())).text();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn places_where_the_same_was_found_share_a_table() {
        let text = matrix(|_| Outcome::Zero).text();
        assert_eq!(text.matches("processes that are left").count(), 1);
        let is_first = |cell: &Cell| cell.place == Place::ALL[0];
        let found = |cell: &Cell| if is_first(cell) { Outcome::Cannot("") } else { Outcome::Zero };
        assert_eq!(matrix(found).text().matches("processes that are left").count(), 2);
    }

    #[test]
    fn a_place_that_was_skipped_is_a_reason_and_a_number() {
        let is_first = |cell: &Cell| cell.place == Place::ALL[0];
        let skipped = |cell: &Cell| {
            if is_first(cell) { Outcome::Skipped("no root".to_owned()) } else { Outcome::Zero }
        };
        let matrix = matrix(skipped);
        assert!(matrix.text().ends_with("skipped: subreaper tier, as root: no root\n"));
        assert_eq!(matrix.summary(), "512 cells: 384 zero, 0 cannot, 0 FAILED, 128 skipped");
        assert!(!matrix.has_failed());
    }
}
