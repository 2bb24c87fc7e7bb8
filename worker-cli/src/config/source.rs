//! The text of a file, and places in it.

use std::ops::Range;
use std::path::PathBuf;

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its path as people are shown it.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// A piece of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The index of the file among those of the configuration.
    pub(super) file: usize,
    /// In bytes.
    pub(super) span: Range<usize>,
}

impl Source {
    /// The line and the column of a byte, both from 1 on; columns count characters.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].trim_start_matches('\u{feff}').chars().count();
        (before.matches('\n').count() + 1, column + 1)
    }
}
