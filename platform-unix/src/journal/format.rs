//! A journal as text: lines of one width, each padded with spaces.
//!
//! ```text
//! worker journal 1
//! boot 0c9f3d5e-2b0e-4c52-9a55-6d3e5a0b7f10
//! supervisor 4711 813244 4026531836
//! process 4720 813251
//! released 7
//! ```
//!
//! The third line has the supervisor's process id, its start time and its process namespace. Behind
//! the header each line is a place of its own, written over when what it tells is over: the file
//! does not grow with what is past. A width that divides a page makes each write one copy into one
//! page, which a SIGKILL cannot cut in two.

use worker_core::RunId;

use crate::Pid;
use crate::supervisor_id::SupervisorId;

/// Bytes in a line, its end included.
pub(super) const WIDTH: usize = 64;

/// Lines before the first entry.
pub(super) const HEADER_LINES: usize = 3;

const MAGIC: &str = "worker journal ";
const VERSION: u32 = 1;

/// Who keeps a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) supervisor: SupervisorId,
    /// The numbers of processes mean nothing in another one.
    pub(super) namespace: u64,
}

/// What one line behind the header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    /// This process is to be ended.
    Process {
        /// Its number.
        pid: Pid,
        /// When it started, in the system's own unit.
        start: u64,
    },
    /// What is left of this run lives on on purpose.
    Released(RunId),
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing was written yet.
    Empty,
    /// It was written by a later version of this program.
    Newer,
    /// Its header cannot be read.
    Damaged,
    /// A journal.
    Journal {
        header: Header,
        entries: Vec<Entry>,
        /// Lines that cannot be read.
        unreadable: usize,
    },
}

impl Header {
    /// The first lines of the file.
    pub(super) fn to_text(&self) -> String {
        let SupervisorId { boot, pid, start } = &self.supervisor;
        let namespace = self.namespace;
        [
            line(&format!("{MAGIC}{VERSION}")),
            line(&format!("boot {boot}")),
            line(&format!("supervisor {pid} {start} {namespace}")),
        ]
        .concat()
    }
}

impl Entry {
    /// Its line.
    pub(super) fn to_text(self) -> String {
        match self {
            Self::Process { pid, start } => line(&format!("process {pid} {start}")),
            Self::Released(run) => line(&format!("released {}", run.get())),
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let entry = match words.next()? {
            "process" => Self::Process { pid: pid(words.next()?)?, start: number(words.next()?)? },
            "released" => Self::Released(RunId::new(number(words.next()?)?)),
            _ => return None,
        };
        words.next().is_none().then_some(entry)
    }
}

/// The line of a place that tells nothing.
pub(super) fn vacant() -> String {
    line("")
}

/// Reads a file. A last line that was not written to its end tells nothing.
pub(super) fn read(bytes: &[u8]) -> Reading {
    if bytes.is_empty() {
        return Reading::Empty;
    }
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.split('\n').map(str::trim_end);
    match lines.next().and_then(version) {
        Some(VERSION) => {}
        Some(later) if later > VERSION => return Reading::Newer,
        Some(_) | None => return Reading::Damaged,
    }
    let Some(header) = header(lines.next(), lines.next()) else { return Reading::Damaged };
    let told: Vec<_> = lines.filter(|line| !line.is_empty()).map(Entry::from_line).collect();
    let unreadable = told.iter().filter(|entry| entry.is_none()).count();
    Reading::Journal { header, entries: told.into_iter().flatten().collect(), unreadable }
}

fn version(line: &str) -> Option<u32> {
    line.strip_prefix(MAGIC)?.parse().ok()
}

fn header(boot: Option<&str>, supervisor: Option<&str>) -> Option<Header> {
    let boot = boot?.strip_prefix("boot ")?.to_owned();
    let mut words = supervisor?.strip_prefix("supervisor ")?.split(' ');
    let (pid, start) = (pid(words.next()?)?, number(words.next()?)?);
    let namespace = number(words.next()?)?;
    let supervisor = SupervisorId { boot, pid, start };
    words.next().is_none().then_some(Header { supervisor, namespace })
}

/// A number that can be a process of ours: 0 and less mean groups to the kernel, and 1 is the
/// system's.
fn pid(word: &str) -> Option<Pid> {
    word.parse().ok().filter(|&pid| pid > 1)
}

fn number(word: &str) -> Option<u64> {
    word.parse().ok()
}

fn line(text: &str) -> String {
    format!("{text:<width$}\n", width = WIDTH - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let boot = "0c9f3d5e-2b0e-4c52-9a55-6d3e5a0b7f10".to_owned();
        let supervisor = SupervisorId { boot, pid: i32::MAX, start: u64::MAX };
        Header { supervisor, namespace: 4_026_531_836 }
    }

    fn journal(lines: &[String]) -> Vec<u8> {
        [header().to_text(), lines.concat()].concat().into_bytes()
    }

    const ENTRIES: [Entry; 2] =
        [Entry::Process { pid: i32::MAX, start: u64::MAX }, Entry::Released(RunId::new(u64::MAX))];

    #[test]
    fn what_is_written_is_read_again() {
        let lines = [ENTRIES[0].to_text(), vacant(), ENTRIES[1].to_text()];
        let expected =
            Reading::Journal { header: header(), entries: ENTRIES.to_vec(), unreadable: 0 };
        assert_eq!(read(&journal(&lines)), expected);
    }

    #[test]
    fn every_line_has_the_width_also_with_the_largest_numbers() {
        let text = journal(&[ENTRIES[0].to_text(), ENTRIES[1].to_text(), vacant()]);
        assert_eq!(text.len(), (HEADER_LINES + 3) * WIDTH);
        for line in text.chunks(WIDTH) {
            assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(WIDTH - 1));
        }
        assert_eq!(4096 % WIDTH, 0, "no line is in two pages");
    }

    #[test]
    fn a_last_line_without_an_end_tells_nothing() {
        let text = journal(&[ENTRIES[0].to_text(), ENTRIES[1].to_text()]);
        let expected =
            Reading::Journal { header: header(), entries: vec![ENTRIES[0]], unreadable: 0 };
        assert_eq!(read(&text[..text.len() - 1]), expected);
    }

    #[test]
    fn lines_that_mean_nothing_are_counted_and_the_others_are_read() {
        let bad = ["process 1 5", "process -7 5", "process 7", "process 7 5 9", "released x", "\0"];
        let bad = bad.map(line);
        let lines: Vec<_> = bad.into_iter().chain([ENTRIES[1].to_text()]).collect();
        let expected =
            Reading::Journal { header: header(), entries: vec![ENTRIES[1]], unreadable: 6 };
        assert_eq!(read(&journal(&lines)), expected);
    }

    #[test]
    fn files_of_another_kind_are_told_apart() {
        let newer = String::from_utf8(journal(&[])).unwrap().replace("journal 1", "journal 2");
        assert_eq!(read(newer.as_bytes()), Reading::Newer);
        assert_eq!(read(b""), Reading::Empty);
        let cut = &journal(&[])[..2 * WIDTH];
        for damaged in [b"hello\n".as_slice(), &[0; 4096], b"worker journal 0\n", cut] {
            assert_eq!(read(damaged), Reading::Damaged);
        }
    }
}
