//! Letting go of what only the start of a guardian needed.
//!
//! To start, a program goes through much of its file, and the pages that it has seen stay mapped. In
//! a guardian, which then does little more than wait, they are most of its memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// Unmaps every page of a file that this process has not changed. They stay in the page cache, and
/// each comes back by itself when it is needed. Does nothing where `/proc` is missing.
pub fn unmap_file_pages() {
    let Ok(smaps) = File::open("/proc/self/smaps") else { return };
    // Small, since it counts as well.
    let mut smaps = BufReader::with_capacity(1024, smaps);
    let (mut line, mut mapping) = (String::new(), None);
    while smaps.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(changed) = line.strip_prefix("Anonymous:") {
            let unchanged = mapping.take().filter(|_| changed.trim() == "0 kB");
            unchanged.into_iter().for_each(unmap);
        } else if let Some(next) = Mapping::from_line(&line) {
            mapping = Some(next.addresses).filter(|_| next.is_file && !next.is_writable);
        }
        line.clear();
    }
}

/// A mapping that holds nothing of our own.
fn unmap(addresses: Range<usize>) {
    let start = std::ptr::with_exposed_provenance_mut(addresses.start);
    // SAFETY: these pages cannot be written, and none of them was changed since it was read from its
    // file: what is read here next time is read from there, and is the same.
    let _ = unsafe { madvise(start, addresses.len(), Advice::LinuxDontNeed) };
}

/// The first line about a mapping in proc_pid_smaps(5).
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    addresses: Range<usize>,
    is_writable: bool,
    is_file: bool,
}

impl Mapping {
    /// `start-end permissions offset device inode path`.
    fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let address = |digits| usize::from_str_radix(digits, 16).ok();
        let addresses = address(start)?..address(end)?;
        let is_writable = fields.next()?.contains('w');
        let is_file = fields.nth(2)? != "0";
        Some(Self { addresses, is_writable, is_file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_of_a_file_is_told_from_others() {
        let code = "7f01-7f03 r-xp 00128000 fd:00 4711       /usr/bin/a b\n";
        let expected = Mapping { addresses: 0x7f01..0x7f03, is_writable: false, is_file: true };
        assert_eq!(Mapping::from_line(code), Some(expected));
        let stack = "7ffd-7fff rw-p 00000000 00:00 0     [stack]\n";
        let expected = Mapping { addresses: 0x7ffd..0x7fff, is_writable: true, is_file: false };
        assert_eq!(Mapping::from_line(stack), Some(expected));
        assert_eq!(Mapping::from_line("Rss:                 640 kB\n"), None);
        assert_eq!(Mapping::from_line("VmFlags: rd ex mr mw me \n"), None);
    }

    #[test]
    fn unmapped_pages_come_back_as_they_were() {
        let of_files = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        let before = of_files();
        unmap_file_pages();
        assert!(of_files() < before, "{before} kB");
        let mapping = Mapping::from_line("1-2 r--p 0 fd:00 7").unwrap();
        let text = "Mapping { addresses: 1..2, is_writable: false, is_file: true }";
        assert_eq!(format!("{mapping:?}"), text, "code, constants and tables are all used here");
    }
}
