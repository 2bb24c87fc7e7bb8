//! The configuration through its door: files in, a value or all errors out.

mod errors;
mod meaning;
mod properties;
mod schema;

use std::path::PathBuf;

use super::parse::Found;
use super::resolve::Home;
use super::slot::Config;
use super::{Invalid, read};

/// Every key of the design, as it stands there.
const EVERYTHING: &str = include_str!("tests/everything.toml");

fn home() -> Home {
    Home { folder: PathBuf::from("/work/shop"), user: Some(PathBuf::from("/home/ada")) }
}

fn files(texts: &[&[u8]]) -> Vec<Found> {
    let names = ["worker.toml", "worker.local.toml"];
    let found = |(name, bytes): (&str, &&[u8])| Found { path: name.into(), bytes: bytes.to_vec() };
    names.into_iter().zip(texts).map(found).collect()
}

/// `worker.toml` with this text.
fn parse(text: &str) -> Result<Config, Invalid> {
    read(files(&[text.as_bytes()]), &home())
}

/// `worker.toml` and `worker.local.toml` with these texts.
fn parse_both(text: &str, local: &str) -> Result<Config, Invalid> {
    read(files(&[text.as_bytes(), local.as_bytes()]), &home())
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|invalid| panic!("{invalid}"))
}
