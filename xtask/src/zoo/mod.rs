//! `cargo xtask zoo`: awkward trees × the ends that they come to, by the real `worker` and real
//! signals. What is left is counted in `/proc` and by a pipe that every process of the tree holds,
//! never by what `worker` says.

mod cannot;
mod cell;
mod end;
mod ending;
mod field;
mod ground;
mod grow;
mod keeper;
mod launch;
mod look;
mod readme;
mod specimen;
mod table;
mod terminal;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use self::cell::Cell;
use self::ground::Ground;
use self::table::Matrix;
use crate::EXIT_USAGE;
use crate::step::{Failure, Passed, Step, StepResult};

/// The step: a few trees that stand for all.
pub(crate) const STEP: Step = Step { name: "zoo", run: small };

/// The word by which we start the process of a cell.
const CELL: &str = "--cell";

const HELP: &str = "\
Usage: cargo xtask zoo [--small] [--readme] [WORD…]

Brings awkward process trees to each of their ends under `worker run`, and counts what is left.

  --small   only a few trees that stand for all, as in `cargo xtask test`
  --readme  writes the matrix into README.md
  WORD      only cells whose names hold all of the words, such as `daemon crash`
";

/// Runs the task.
pub(crate) fn run(words: &[String]) -> ExitCode {
    match words.first().map(String::as_str) {
        Some(CELL) => run_cell(&words[1..]),
        Some("--help" | "-h") => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => match Options::parse(words) {
            Ok(options) => show(&options),
            Err(why) => {
                eprintln!("error: {why}\n\n{HELP}");
                ExitCode::from(EXIT_USAGE)
            }
        },
    }
}

#[derive(Default)]
struct Options {
    is_small: bool,
    for_readme: bool,
    words: Vec<String>,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for word in words {
            match word.as_str() {
                "--small" => options.is_small = true,
                "--readme" => options.for_readme = true,
                unknown if unknown.starts_with('-') => {
                    return Err(format!("there is no option `{unknown}`"));
                }
                word => options.words.push(word.to_owned()),
            }
        }
        if options.for_readme && (options.is_small || !options.words.is_empty()) {
            return Err("the README shows all cells: leave the other words out".to_owned());
        }
        Ok(options)
    }

    fn cells(&self) -> Vec<Cell> {
        let is_wanted = |cell: &Cell| {
            let name = cell.name();
            (!self.is_small || cell.specimen.is_small)
                && self.words.iter().all(|word| name.contains(word.as_str()))
        };
        Cell::all().filter(is_wanted).collect()
    }
}

fn show(options: &Options) -> ExitCode {
    let matrix = match find(options) {
        Ok(matrix) => matrix,
        Err(failure) => {
            eprintln!("error: {}", failure.report);
            return ExitCode::FAILURE;
        }
    };
    println!("{}\n{}", matrix.text(), matrix.summary());
    if options.for_readme
        && let Err(why) = readme::write(&matrix)
    {
        eprintln!("error: {why}");
        return ExitCode::FAILURE;
    }
    if matrix.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn small() -> StepResult {
    let repeat = "cargo xtask zoo --small".to_owned();
    let outdated = |report| Failure { report, repeat: "cargo xtask zoo --readme".to_owned() };
    readme::check().map_err(outdated)?;
    let matrix = find(&Options { is_small: true, ..Options::default() })?;
    if matrix.has_failed() {
        return Err(Failure { report: matrix.text() + &matrix.summary(), repeat });
    }
    readme::compare(&matrix).map_err(outdated)?;
    Ok(Passed::Ok(matrix.summary()))
}

fn find(options: &Options) -> Result<Matrix, Failure> {
    ground::build()?;
    let ground = Ground::prepare().map_err(|error| Failure {
        report: format!("the programs cannot be copied: {error}"),
        repeat: "cargo xtask zoo".to_owned(),
    })?;
    let cells = options.cells();
    let found = field::tend(&ground, &cells, |done| tell(done, cells.len()));
    Ok(Matrix { found: cells.into_iter().zip(found).collect() })
}

/// For a person who waits.
fn tell(done: usize, all: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let end = if done == all { "\r\x1b[K" } else { "" };
        let _ = write!(stderr, "\r{done} of {all} cells{end}");
    }
}

fn run_cell(words: &[String]) -> ExitCode {
    let [tree, end, place, folder, has_option] = words else {
        return ExitCode::from(EXIT_USAGE);
    };
    let cell = Cell::all().find(|cell| {
        cell.specimen.name == tree && cell.end.name() == end && cell.place.name() == *place
    });
    let Some(cell) = cell else { return ExitCode::from(EXIT_USAGE) };
    keeper::keep(cell, &Ground::at(folder.into(), has_option == "true"))
}
