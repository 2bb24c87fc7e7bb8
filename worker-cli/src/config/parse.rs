//! From the bytes of a file to its tables.

use std::path::PathBuf;

use toml::de::DeTable;
use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::setting::{Reader, Setting, printable};
use super::source::{Place, Source};
use super::tables::File;

/// A file that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its path as people are shown it.
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The tables of the file with this index, as far as they can be read.
pub(super) fn parse(found: Found, file: usize, problems: &mut Problems) -> (Source, File) {
    let text = String::from_utf8(found.bytes);
    let not_utf8 = text.as_ref().err().map(|error| error.utf8_error().valid_up_to());
    let text = text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let source = Source { path: found.path, text };
    if let Some(at) = not_utf8 {
        let place = Place { file, span: at..at + char::REPLACEMENT_CHARACTER.len_utf8() };
        problems.add(Problem::new(&place, "this is not UTF-8 text").hint("save the file as UTF-8"));
        return (source, File::default());
    }
    let tables = tables(&source, file, problems);
    (source, tables)
}

fn tables(source: &Source, file: usize, problems: &mut Problems) -> File {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let mut is_whole = true;
    for error in &errors {
        is_whole &= is_duplicate(error);
        problems.add(syntax_problem(error, source, file));
    }
    // What a parser makes of broken syntax has errors of its own, which mean nothing.
    if !is_whole {
        return File::default();
    }
    let span = root.span();
    let root = toml::Spanned::new(span, DeValue::Table(root.into_inner()));
    let mut reader = Reader { file, source, problems };
    File::read(&root, &mut reader).unwrap_or_default()
}

fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message() == "duplicate key"
}

fn syntax_problem(error: &toml::de::Error, source: &Source, file: usize) -> Problem {
    let span = error.span().unwrap_or_default();
    let place = Place { file, span: span.clone() };
    let written = source.text.get(span).unwrap_or_default();
    match error.message() {
        "duplicate key" => Problem::new(&place, format!("`{}` is there twice", printable(written)))
            .hint("keep one of the two"),
        "string values must be quoted, expected literal string" if written.is_empty() => {
            Problem::new(&place, "there is no value here")
        }
        "string values must be quoted, expected literal string" => {
            Problem::new(&place, "a text stands in quotes, and this is nothing else")
        }
        other => Problem::new(&place, format!("this is not TOML: {other}")),
    }
}
