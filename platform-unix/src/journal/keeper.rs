//! The journal of this supervisor, while it lives.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use worker_core::RunId;

use super::folder::Folder;
use super::format::{Entry, HEADER_LINES, Header, WIDTH, vacant};
use crate::Pid;
use crate::os;
use crate::supervisor_id::SupervisorId;

/// The size that a journal begins with: one page, so that a full disk hinders none but the largest
/// supervisors.
const FIRST_LINES: usize = 4096 / WIDTH;

/// What this supervisor would leave behind if it were killed, in a file that is locked for its life.
///
/// An entry is one small write. It need not reach the disk: a killed process loses nothing that the
/// kernel has, and after a loss of power no process is left. A file that cannot be written is said
/// once; supervision goes on.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: Lines,
    trouble_said: bool,
}

impl Journal {
    /// Begins the journal of this process.
    pub(super) fn begin(folder: &Folder) -> io::Result<Self> {
        let supervisor = SupervisorId::of_this_process();
        if supervisor.boot.is_empty() || supervisor.start == 0 {
            return Err(io::Error::other("this process cannot tell when it started"));
        }
        let header = Header { supervisor, namespace: os::pid_namespace() };
        let SupervisorId { pid, start, .. } = header.supervisor;
        let (path, file) = folder.create(&format!("{}-{pid}-{start}", header.namespace))?;
        let journal = Self { path, file, lines: Lines::default(), trouble_said: false };
        match journal.file.write_all_at(first_page(&header).as_bytes(), 0) {
            Ok(()) => Ok(journal),
            Err(error) => {
                journal.remove();
                Err(error)
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This process is to be ended if we are killed. The system is asked when it started where that
    /// is not known.
    pub(crate) fn note_process(&mut self, pid: Pid, start: Option<u64>) {
        if let Some(start) = start.or_else(|| Some(os::process(pid)?.start)) {
            let entry = Entry::Process { pid, start };
            let line = self.lines.take(Key::Process(pid));
            self.write(line, &entry.to_text());
        }
    }

    /// This process is gone: its line is free. It stays as it is until it is needed, since what it
    /// tells cannot mean another process.
    pub(crate) fn forget_process(&mut self, pid: Pid) {
        self.lines.free(Key::Process(pid));
    }

    /// This process lives on on purpose.
    pub(crate) fn spare_process(&mut self, pid: Pid) {
        if let Some(line) = self.lines.free(Key::Process(pid)) {
            self.write(line, &vacant());
        }
    }

    /// What is left of this run lives on on purpose.
    pub(crate) fn spare_run(&mut self, run: RunId) {
        let line = self.lines.take(Key::Run(run));
        self.write(line, &Entry::Released(run).to_text());
    }

    /// Nothing is left of this run.
    pub(crate) fn forget_run(&mut self, run: RunId) {
        self.lines.free(Key::Run(run));
    }

    /// Removes it: nothing would be left behind.
    pub(crate) fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("the journal {} cannot be removed: {error}", self.path.display());
        }
    }

    fn write(&mut self, line: usize, text: &str) {
        let place = (HEADER_LINES + line) * WIDTH;
        let Err(error) = self.file.write_all_at(text.as_bytes(), place as u64) else { return };
        if !std::mem::replace(&mut self.trouble_said, true) {
            tracing::warn!(
                "the journal {} cannot be written: {error}; supervision goes on, but if worker and \
                 its guardian are both killed, the next start may not find everything that is left",
                self.path.display()
            );
        }
    }
}

fn first_page(header: &Header) -> String {
    header.to_text() + &vacant().repeat(FIRST_LINES - HEADER_LINES)
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// A child of ours that is not reaped.
    Process(Pid),
    Run(RunId),
}

/// Which line is about what. There are never more lines than were needed at one time.
#[derive(Debug, Default)]
struct Lines {
    taken: HashMap<Key, usize>,
    free: Vec<usize>,
    count: usize,
}

impl Lines {
    fn take(&mut self, key: Key) -> usize {
        if let Some(&line) = self.taken.get(&key) {
            return line;
        }
        let line = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        self.taken.insert(key, line);
        line
    }

    fn free(&mut self, key: Key) -> Option<usize> {
        let line = self.taken.remove(&key)?;
        self.free.push(line);
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_runs_need_one_line() {
        let mut lines = Lines::default();
        for pid in 2..10_002 {
            assert_eq!(lines.take(Key::Process(pid)), 0);
            assert_eq!(lines.free(Key::Process(pid)), Some(0));
        }
        assert_eq!(lines.count, 1);
    }

    #[test]
    fn each_of_those_that_live_at_one_time_has_a_line_of_its_own() {
        let mut lines = Lines::default();
        let taken: Vec<_> = (2..5).map(|pid| lines.take(Key::Process(pid))).collect();
        assert_eq!(taken, [0, 1, 2]);
        assert_eq!(lines.free(Key::Process(3)), Some(1));
        assert_eq!(lines.free(Key::Process(3)), None, "it is free already");
        assert_eq!(lines.take(Key::Run(RunId::new(3))), 1);
        assert_eq!(lines.take(Key::Process(4)), 2, "it has one");
        assert_eq!(lines.take(Key::Process(9)), 3);
    }
}
