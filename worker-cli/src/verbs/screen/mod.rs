//! What verbs write on: how wide it is, whether in colours, and what the time is there.

mod canvas;
mod ink;
mod table;
mod text;
mod times;

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

pub(crate) use self::canvas::Canvas;
pub(crate) use self::ink::{Ink, Paint, state_ink};
pub(crate) use self::table::{Cell, table};
pub(crate) use self::text::{clip, hanging, plain, plain_lines, safe_for_terminals, width_of};
pub(crate) use self::times::{Clock, brief};

use crate::colour;
use crate::error::{Code, Failure};
use crate::voice::{Style, said_line};

/// What text is made for where nobody says how wide it is.
const DEFAULT_WIDTH: usize = 80;

/// Of a terminal that does not say.
const DEFAULT_HEIGHT: usize = 24;

/// Narrower than this, nothing can be laid out any more.
const LEAST_WIDTH: usize = 40;

/// What renderers need to know of where their text goes.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// In columns.
    pub(crate) width: usize,
    /// Colours.
    pub(crate) paint: Paint,
    /// The time.
    pub(crate) clock: Clock,
}

impl Page {
    /// What goes to stdout.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        Self::of(&stdout, terminal_width(&stdout))
    }

    /// What goes to stderr.
    pub(crate) fn stderr() -> Self {
        let stderr = io::stderr();
        Self::of(&stderr, terminal_width(&stderr))
    }

    fn of(stream: &impl IsTerminal, terminal: Option<usize>) -> Self {
        let told = || std::env::var("COLUMNS").ok()?.parse().ok();
        let width = terminal.or_else(told).unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH);
        Self { width, paint: Paint::new(colour::is_on(stream)), clock: Clock::now() }
    }

    /// The same, a little later.
    pub(crate) fn now(&self) -> Self {
        Self { clock: self.clock.again(), ..self.clone() }
    }

    /// For snapshots: 80 columns without colours, in UTC, at 2026-11-22 07:10:00.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self { width: DEFAULT_WIDTH, paint: Paint::new(false), clock: Clock::for_tests() }
    }
}

/// Whether lines there can be written over.
pub(crate) fn is_lively(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns and rows of a terminal; as usual where nobody knows.
pub(crate) fn terminal_size(stream: &impl AsFd) -> (usize, usize) {
    let size = tcgetwinsize(stream).ok();
    let known = |length: u16| Some(usize::from(length)).filter(|length| *length > 0);
    let width = size.and_then(|size| known(size.ws_col));
    let height = size.and_then(|size| known(size.ws_row));
    (width.unwrap_or(DEFAULT_WIDTH), height.unwrap_or(DEFAULT_HEIGHT))
}

/// Writes lines to stdout; answers whether anybody still reads. The last line's end is added.
///
/// # Errors
///
/// [`Failure`] if stdout cannot be written. A reader that has seen enough is not an error.
pub(crate) fn print(text: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    read_on(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// What became of a write to stdout: whether anybody still reads.
pub(crate) fn read_on(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(Code::Failed, format!("stdout cannot be written: {error}"))),
    }
}

/// Says something that stops nothing on stderr, in the form that was asked for.
pub(crate) fn note(text: &str, json: bool) {
    say(&said_line(Style { quiet: false, json }, "info", text));
}

/// Writes a line to stderr.
pub(crate) fn say(text: &str) {
    // Nowhere is left to say that stderr cannot be written.
    drop(writeln!(io::stderr(), "{text}"));
}

/// None where it is no terminal.
fn terminal_width(stream: &impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
