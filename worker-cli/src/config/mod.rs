//! The configuration: `worker.toml` and `worker.local.toml` beside it.
//!
//! [`find`] looks for the file, [`load`] reads and checks it. Everything that is wrong is told at
//! once, with its place. What comes out is a [`Config`]: plain values that hold together, from
//! which `Instance::launch` makes what a run executes.
//!
//! The way through the files: `parse` makes `tables` of the text, the upper table is laid
//! over the lower one, `resolve` checks what must hold together.

mod find;
mod invalid;
#[cfg(unix)]
mod launch;
mod name;
mod parse;
mod problem;
mod project;
mod render;
mod resolve;
mod schema;
mod setting;
mod show;
mod slot;
mod source;
mod suggest;
mod tables;
mod text;
mod values;

#[cfg(test)]
mod tests;

use std::path::Path;

use self::parse::Found;
use self::problem::Problems;
use self::resolve::Home;
use self::setting::Setting;
use crate::error::Failure;
use crate::regular_file;

pub use self::find::find;
pub use self::invalid::Invalid;
#[cfg(unix)]
pub use self::launch::{AliveProbe, Instance, Launch};
pub use self::name::Name;
pub use self::project::project_of;
pub use self::schema::schema;
pub use self::show::{to_json, to_toml};

pub use self::slot::{Config, Liveness, Look, Slot, Start};
pub(crate) use self::suggest::closest;
pub use self::text::{Placeholder, Text, Values};

/// Reads and checks `worker.toml` at this absolute path, with `worker.local.toml` beside it laid
/// over it.
///
/// # Errors
///
/// [`Failure`] says why a file cannot be read, or all that is wrong with what is in it. Values of
/// environment variables are shown only where they are wrong themselves.
pub fn load(file: &Path) -> Result<Config, Failure> {
    load_by(file, |file| std::fs::read(file))
}

/// The same, for those who cannot wait for whoever writes to a pipe.
///
/// # Errors
///
/// As [`load`], and if a file is a pipe or a device.
pub fn load_regular(file: &Path) -> Result<Config, Failure> {
    load_by(file, regular_file::read)
}

fn load_by(file: &Path, by: find::Read) -> Result<Config, Failure> {
    let home = find::home_of(file)?;
    let files = find::read(file, by)?;
    Ok(read(files, &home)?)
}

/// The files, of which later ones win.
fn read(files: Vec<Found>, home: &Home) -> Result<Config, Invalid> {
    let mut problems = Problems::default();
    let mut sources = Vec::new();
    let mut whole = tables::File::default();
    for (index, found) in files.into_iter().enumerate() {
        let (source, tables) = parse::parse(found, index, &mut problems);
        sources.push(source);
        whole = tables.over(whole);
    }
    let config = resolve::resolve(whole, home, &sources, &mut problems);
    match config {
        Some(config) if problems.count() == 0 => Ok(config),
        _ => Err(Invalid::new(sources, problems)),
    }
}
