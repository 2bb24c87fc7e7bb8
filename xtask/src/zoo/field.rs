//! Runs the cells, each in a process of its own, several at a time.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cannot::Survivors;
use super::cell::{Cell, Outcome, Place};
use super::ground::Ground;
use super::keeper::SURVIVORS;

/// They wait more than they work.
const CELLS_PER_CORE: usize = 6;

/// What was found in each cell, in order. Where the machine lacks the means, nothing is tried.
pub(super) fn tend(
    ground: &Ground,
    cells: &[Cell],
    progress: impl Fn(usize) + Sync,
) -> Vec<Outcome> {
    let found: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; cells.len()]);
    let lacks = Place::ALL.map(|place| (place, ground.lacks(place)));
    let lack_of =
        |place| lacks.iter().find(|(it, _)| *it == place).and_then(|(_, why)| why.clone());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tend_some = || {
        while let Some((index, cell)) = take(&next, cells) {
            let lack = lack_of(cell.place).map(Outcome::Skipped);
            let outcome = lack.unwrap_or_else(|| tend_one(ground, cell));
            if let Ok(mut found) = found.lock() {
                found[index] = Some(outcome);
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores * CELLS_PER_CORE {
            scope.spawn(tend_some);
        }
    });
    let found = found.into_inner().unwrap_or_default();
    let lost = || Outcome::Failed("its process was lost".to_owned());
    found.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
}

fn take<'a>(next: &AtomicUsize, cells: &'a [Cell]) -> Option<(usize, &'a Cell)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    cells.get(index).map(|cell| (index, cell))
}

fn tend_one(ground: &Ground, cell: &Cell) -> Outcome {
    match said_by_keeper(ground, cell) {
        Ok(said) => understand(cell, said.trim()),
        Err(error) => Outcome::Failed(format!("it has no process: {error}")),
    }
}

fn understand(cell: &Cell, said: &str) -> Outcome {
    match said.strip_prefix(SURVIVORS).and_then(survivors) {
        Some(survivors) => cell.outcome(survivors),
        None if said.is_empty() => Outcome::Failed("its process died".to_owned()),
        None => Outcome::Failed(said.to_owned()),
    }
}

fn survivors(counts: &str) -> Option<Survivors> {
    let (all, untraceable) = counts.split_once(' ')?;
    Some(Survivors { all: all.parse().ok()?, untraceable: untraceable.parse().ok()? })
}

/// In a group of its own, so that Ctrl-C leaves it the time to end what it has: it sees by the end
/// of its stdin that we are gone.
fn said_by_keeper(ground: &Ground, cell: &Cell) -> io::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["zoo", super::CELL, cell.specimen.name, cell.end.name(), &cell.place.name()]);
    command.arg(ground.folder()).arg(ground.has_option().to_string());
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut keeper = command.spawn()?;
    let end_of_us = keeper.stdin.take();
    let output = keeper.wait_with_output()?;
    drop(end_of_us);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
