//! Columns.

use super::ink::{Ink, Paint};
use super::text::width_of;

/// Between two columns.
const GAP: &str = "  ";

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// In this ink.
    pub(crate) fn new(ink: Ink, text: impl Into<String>) -> Self {
        Self { text: text.into(), ink }
    }

    /// As the terminal writes.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(Ink::Plain, text)
    }

    /// Or `-` where there is none.
    pub(crate) fn or_dash<T: ToString>(text: Option<T>) -> Self {
        text.map_or_else(|| Self::new(Ink::Dim, "-"), |text| Self::plain(text.to_string()))
    }
}

/// The lines of a table, the titles first. Each column is as wide as its widest field; the last one
/// is not filled up.
pub(crate) fn table<const N: usize>(
    titles: [&str; N],
    rows: &[[Cell; N]],
    paint: Paint,
) -> Vec<String> {
    let titles = titles.map(|title| Cell::new(Ink::Dim, title));
    let all = || std::iter::once(&titles).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        all().map(|row| width_of(&row[column].text)).max().unwrap_or_default()
    });
    all().map(|row| line(row, &widths, paint)).collect()
}

fn line<const N: usize>(row: &[Cell; N], widths: &[usize; N], paint: Paint) -> String {
    let mut line = String::new();
    let mut missing = 0;
    for (cell, width) in row.iter().zip(widths) {
        if !line.is_empty() {
            line.push_str(&" ".repeat(missing));
            line.push_str(GAP);
        }
        line.push_str(&paint.ink(cell.ink, &cell.text));
        missing = width - width_of(&cell.text);
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_field() {
        let rows = [
            [Cell::new(Ink::Red, "failed"), Cell::or_dash(None::<u32>)],
            [Cell::plain("ok"), Cell::or_dash(Some(7))],
        ];
        assert_eq!(
            table(["S", "NUMBER"], &rows, Paint::new(false)),
            ["S       NUMBER", "failed  -", "ok      7"]
        );
        let coloured = table(["S", "NUMBER"], &rows, Paint::new(true));
        assert_eq!(coloured[1], "\x1b[31mfailed\x1b[0m  \x1b[2m-\x1b[0m");
    }
}
