//! Files of environment variables, as `--env-file` names them.
//!
//! A line is `KEY=VALUE`, optionally after `export `. Blank lines and lines that begin with `#`
//! are skipped. A bare value ends at ` #` or at the end of the line. `'…'` is taken as it is,
//! `"…"` knows `\n`, `\r`, `\t`, `\"`, `\\` and `\$`; both may span lines. Nothing is expanded.

use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::Chars;

use thiserror::Error;

use crate::regular_file;

/// A file that cannot be read or holds a bad line. Never quotes a value: it may be a secret.
#[derive(Debug, Error)]
pub enum EnvFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is bad.
    #[error("{}:{line}: {problem}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        problem: Problem,
    },
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Nothing is assigned.
    #[error("there is no `=`: write KEY=VALUE, or begin the line with `#`")]
    NoEquals,
    /// The name cannot be one.
    #[error(
        "the name before `=` may hold letters, digits, `_`, `.` and `-` only, and no digit first"
    )]
    BadName,
    /// A quote is not closed.
    #[error("the quote {0} that begins here is never closed")]
    OpenQuote(char),
    /// Something follows a closing quote.
    #[error("there is text after the closing quote: quote the whole value")]
    AfterQuote,
    /// Environment variables cannot hold this.
    #[error("there is a NUL byte, which no environment variable can hold")]
    Nul,
    /// The file is not text.
    #[error("this is not UTF-8 text: save the file as UTF-8")]
    NotUtf8,
}

/// The variables of a file, in order.
///
/// # Errors
///
/// [`EnvFileError`] if the file cannot be read or has a bad line; then nothing of it is used.
pub fn read_env_file(path: &Path) -> Result<Vec<(String, String)>, EnvFileError> {
    variables(path, std::fs::read(path))
}

/// The same, for those who cannot wait: anything but a regular file, such as a pipe that nobody
/// writes to, is an error.
///
/// # Errors
///
/// As [`read_env_file`].
pub fn read_regular_env_file(path: &Path) -> Result<Vec<(String, String)>, EnvFileError> {
    variables(path, regular_file::read(path))
}

fn variables(
    path: &Path,
    read: io::Result<Vec<u8>>,
) -> Result<Vec<(String, String)>, EnvFileError> {
    let unreadable = |source| EnvFileError::Unreadable { path: path.to_owned(), source };
    let bytes = read.map_err(unreadable)?;
    parse(&bytes).map_err(|(line, problem)| EnvFileError::BadLine {
        path: path.to_owned(),
        line,
        problem,
    })
}

type Located<T> = Result<T, (usize, Problem)>;

fn parse(bytes: &[u8]) -> Located<Vec<(String, String)>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        (1 + before.iter().filter(|byte| **byte == b'\n').count(), Problem::NotUtf8)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
    let mut variables = Vec::new();
    while let Some(variable) = reader.variable()? {
        variables.push(variable);
    }
    Ok(variables)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn variable(&mut self) -> Located<Option<(String, String)>> {
        if !self.skip_to_variable() {
            return Ok(None);
        }
        let line = self.line;
        let name = self.name().map_err(|problem| (line, problem))?;
        let value = self.value().map_err(|problem| (line, problem))?;
        if value.contains('\0') {
            return Err((line, Problem::Nul));
        }
        Ok(Some((name, value)))
    }

    /// Skips blank lines and comments; false at the end of the file.
    fn skip_to_variable(&mut self) -> bool {
        while let Some(&next) = self.rest.peek() {
            match next {
                '#' => drop(self.rest_of_line()),
                next if next.is_whitespace() => drop(self.take()),
                _ => return true,
            }
        }
        false
    }

    fn name(&mut self) -> Result<String, Problem> {
        let mut name = String::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                '\n' => return Err(Problem::NoEquals),
                '=' => {
                    self.take();
                    return checked_name(&name);
                }
                _ => name.extend(self.take()),
            }
        }
        Err(Problem::NoEquals)
    }

    fn value(&mut self) -> Result<String, Problem> {
        while self.rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
        match self.rest.next_if(|next| matches!(next, '\'' | '"')) {
            Some(quote) => self.quoted(quote),
            None => Ok(bare(&self.rest_of_line())),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Problem> {
        let mut value = String::new();
        loop {
            match self.take().ok_or(Problem::OpenQuote(quote))? {
                next if next == quote => break,
                '\\' if quote == '"' => {
                    value.push_str(&unescaped(self.take().ok_or(Problem::OpenQuote(quote))?));
                }
                next => value.push(next),
            }
        }
        let after = self.rest_of_line();
        let after = after.trim_start();
        if after.is_empty() || after.starts_with('#') {
            Ok(value)
        } else {
            Err(Problem::AfterQuote)
        }
    }

    fn rest_of_line(&mut self) -> String {
        let mut rest = String::new();
        while let Some(next) = self.rest.next_if(|next| *next != '\n') {
            rest.push(next);
        }
        rest
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }
}

fn checked_name(written: &str) -> Result<String, Problem> {
    let written = written.trim_end();
    let name = match written.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => written,
    };
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_well && name.chars().all(is_fit) {
        Ok(name.to_owned())
    } else {
        Err(Problem::BadName)
    }
}

fn bare(written: &str) -> String {
    let end = written
        .char_indices()
        .find(|&(at, c)| c == '#' && written[..at].chars().last().is_none_or(char::is_whitespace))
        .map_or(written.len(), |(at, _)| at);
    written[..end].trim().to_owned()
}

fn unescaped(escaped: char) -> String {
    match escaped {
        'n' => "\n".to_owned(),
        'r' => "\r".to_owned(),
        't' => "\t".to_owned(),
        '"' | '\\' | '$' => escaped.to_string(),
        other => format!("\\{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let parsed = parse(text.as_bytes()).unwrap();
        let parsed: Vec<(&str, &str)> =
            parsed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parsed, expected, "{text:?}");
    }

    fn check_bad(text: &[u8], expected: (usize, Problem)) {
        assert_eq!(parse(text).unwrap_err(), expected);
    }

    #[test]
    fn plain_lines_comments_and_exports_are_read() {
        check(
            "A=1\n\n# no\n  export B = two \r\nC=\nD=a=b\n",
            &[("A", "1"), ("B", "two"), ("C", ""), ("D", "a=b")],
        );
        check("\u{feff}A=1", &[("A", "1")]);
        check("exported=1", &[("exported", "1")]);
    }

    #[test]
    fn a_bare_value_ends_at_a_comment_that_stands_apart() {
        check("URL=http://x/#top # here", &[("URL", "http://x/#top")]);
        check("A= # nothing", &[("A", "")]);
    }

    #[test]
    fn quotes_keep_blanks_signs_and_lines() {
        check("A=' # $x\\n '  # why", &[("A", " # $x\\n ")]);
        check(r#"B="a\tb\"\\\$ \d""#, &[("B", "a\tb\"\\$ \\d")]);
        check("KEY=\"one\ntwo\"\nC=3", &[("KEY", "one\ntwo"), ("C", "3")]);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        check_bad(b"A=1\nB\n", (2, Problem::NoEquals));
        check_bad(b"A=\"x\ny\"\n1B=2", (3, Problem::BadName));
        check_bad(b"=2", (1, Problem::BadName));
        check_bad(b"A B=2", (1, Problem::BadName));
        check_bad(b"\nA='x\n\n", (2, Problem::OpenQuote('\'')));
        check_bad(b"A='x' y", (1, Problem::AfterQuote));
        check_bad(b"A=x\0", (1, Problem::Nul));
        check_bad(b"A=1\n\xff=2", (2, Problem::NotUtf8));
    }

    #[test]
    fn an_error_never_shows_a_value() {
        let error = EnvFileError::BadLine {
            path: ".env".into(),
            line: 3,
            problem: parse(b"PASSWORD='hunter2").unwrap_err().1,
        };
        assert_eq!(error.to_string(), ".env:3: the quote ' that begins here is never closed");
    }
}
