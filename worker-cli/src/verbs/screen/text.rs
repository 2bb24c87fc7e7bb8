//! Lines that fit.

use textwrap::core::display_width;

/// How many columns it takes. Colours take none.
pub(crate) fn width_of(text: &str) -> usize {
    display_width(text)
}

/// A paragraph with a hanging indent. Words such as paths stay whole, for those who copy them.
pub(crate) fn hanging(first: &str, others: &str, text: &str, width: usize) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

/// One line of nothing but text: no colours, no tabs, nothing that moves a cursor.
pub(crate) fn plain(text: &str) -> String {
    filtered(text, |_| false)
}

/// The same for several lines, which stay apart.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// With its colours, and without whatever else could move the cursor, clear the screen or change the
/// terminal.
pub(crate) fn safe_for_terminals(text: &str) -> String {
    filtered(text, is_colour)
}

/// The first so many columns of a line, in which colours take none and are ended.
pub(crate) fn clip(line: &str, width: usize) -> String {
    if width_of(line) <= width {
        return line.to_owned();
    }
    let (mut clipped, mut columns) = (String::new(), 0);
    for piece in pieces(line) {
        let Piece::Sign(sign) = piece else {
            clipped.push_str(piece.text(line));
            continue;
        };
        columns += width_of(sign.encode_utf8(&mut [0; 4]));
        if columns >= width {
            break;
        }
        clipped.push(sign);
    }
    let end = if line.contains('\x1b') { "\x1b[0m…" } else { "…" };
    clipped + end
}

fn filtered(text: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Sign('\t') => safe.push_str("    "),
            Piece::Sign('\n') => safe.push(' '),
            Piece::Sign(sign) if !sign.is_control() => safe.push(sign),
            Piece::Sign(_) => {}
            Piece::Escape(..) => {
                let sequence = piece.text(text);
                safe.push_str(if keep(sequence) { sequence } else { "" });
            }
        }
    }
    safe
}

/// `ESC [ … m`.
fn is_colour(sequence: &str) -> bool {
    let Some(parameters) = sequence.strip_prefix("\x1b[").and_then(|rest| rest.strip_suffix('m'))
    else {
        return false;
    };
    parameters.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, ';' | ':'))
}

/// A part of a text: a character, or a whole escape sequence by its place.
#[derive(Clone, Copy)]
enum Piece {
    Sign(char),
    Escape(usize, usize),
}

impl Piece {
    fn text(self, whole: &str) -> &str {
        match self {
            Self::Escape(start, end) => &whole[start..end],
            Self::Sign(_) => "",
        }
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let sign = text[at..].chars().next()?;
        let start = at;
        at += if sign == '\x1b' { sequence_length(&text[at..]) } else { sign.len_utf8() };
        Some(if sign == '\x1b' { Piece::Escape(start, at) } else { Piece::Sign(sign) })
    })
}

/// The length of the escape sequence that a text begins with; see ECMA-48, 5.4 and 5.6. One without
/// an end reaches to the end of the text.
fn sequence_length(text: &str) -> usize {
    let rest = &text[1..];
    let end = |found: Option<usize>, length: usize| found.map_or(text.len(), |at| 1 + at + length);
    match rest.chars().next() {
        None => text.len(),
        Some('[') => {
            let is_final =
                |(at, sign): (usize, char)| (at > 0 && ('@'..='~').contains(&sign)).then_some(at);
            end(rest.char_indices().find_map(is_final), 1)
        }
        // A string for the terminal, such as its title: ends with BEL or ESC \.
        Some(']' | 'P' | '_' | '^' | 'X') => match (rest.find('\x07'), rest.find("\x1b\\")) {
            (Some(bell), Some(st)) if st < bell => end(Some(st), 2),
            (Some(bell), _) => end(Some(bell), 1),
            (None, st) => end(st, 2),
        },
        Some(sign) => 1 + sign.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_output_are_kept_and_nothing_else_reaches_the_terminal() {
        for (raw, safe) in [
            ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
            ("\x1b[2J\x1b[Hclear", "clear"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("50 %\r100 %", "50 %100 %"),
            ("a\tb", "a    b"),
            ("a\nb", "a b"),
            ("half\x1b[", "half"),
            ("end\x1b", "end"),
            ("\x1b7saved", "saved"),
            ("\x1b[?25lhidden", "hidden"),
            ("ümlaut ✓", "ümlaut ✓"),
        ] {
            assert_eq!(safe_for_terminals(raw), safe, "{raw:?}");
        }
        assert_eq!(plain("\x1b[1;31mred\x1b[0m\nx"), "red x");
        assert_eq!(plain_lines("\x1b[1;31mred\x1b[0m\nx"), "red\nx");
    }

    #[test]
    fn a_line_is_clipped_by_columns() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("longer", 5), "long…");
        assert_eq!(clip("\x1b[31mlonger\x1b[0m", 5), "\x1b[31mlong\x1b[0m…");
        assert_eq!(
            width_of(&clip("日本語のログ", 6)),
            5,
            "a sign of two columns is not cut in two"
        );
    }

    #[test]
    fn a_long_word_stays_whole() {
        let path = "/a/very/long/path/that/nobody/may/cut/in/two";
        assert_eq!(hanging("  ", "    ", &format!("see {path}"), 20), format!("  see\n    {path}"));
    }
}
