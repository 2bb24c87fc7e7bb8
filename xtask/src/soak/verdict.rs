//! Whether anything has grown.

use std::process::ExitCode;

use super::process::Reading;

/// So much more memory is none that grows with the runs: pages that are touched for the first time,
/// and holes between what was allocated.
const SLACK_KB: u64 = 256;

/// One of the figures.
struct Row {
    name: &'static str,
    of: fn(&Reading) -> u64,
    slack: u64,
}

const ROWS: [Row; 7] = [
    Row { name: "descriptors", of: |reading| reading.descriptors, slack: 0 },
    Row { name: "threads", of: |reading| reading.threads, slack: 0 },
    Row { name: "zombies", of: |reading| reading.zombies, slack: 0 },
    Row { name: "cgroups", of: |reading| reading.cgroups, slack: 0 },
    Row { name: "bytes in open files", of: |reading| reading.file_bytes, slack: 4096 },
    Row { name: "resident memory, KB", of: |reading| reading.resident_kb, slack: SLACK_KB },
    Row { name: "private memory, KB", of: |reading| reading.private_kb, slack: SLACK_KB },
];

/// Prints the figures of a process. Whether one of them has grown.
pub(crate) fn table(process: &str, before: &Reading, after: &Reading) -> bool {
    for row in &ROWS {
        let (old, new) = ((row.of)(before), (row.of)(after));
        let mark = if row.has_grown(before, after) { "  GROWN" } else { "" };
        println!("{process:12}{:22}{old:>10}{new:>10}{mark}", row.name);
    }
    ROWS.iter().any(|row| row.has_grown(before, after))
}

/// Says it as a whole.
pub(crate) fn tell(has_grown: bool) -> ExitCode {
    if has_grown {
        println!("soak: FAILED: something grows with the number of past runs");
        return ExitCode::FAILURE;
    }
    println!("soak: nothing has grown (memory: by no more than {SLACK_KB} KB)");
    ExitCode::SUCCESS
}

impl Row {
    fn has_grown(&self, before: &Reading, after: &Reading) -> bool {
        (self.of)(after) > (self.of)(before) + self.slack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(after: Reading) -> Vec<&'static str> {
        let rows = ROWS.iter().filter(|row| row.has_grown(&Reading::default(), &after));
        rows.map(|row| row.name).collect()
    }

    #[test]
    fn one_descriptor_more_is_growth() {
        assert_eq!(grown(Reading { descriptors: 1, ..Reading::default() }), ["descriptors"]);
    }

    #[test]
    fn memory_has_some_slack() {
        assert_eq!(grown(Reading { private_kb: SLACK_KB, ..Reading::default() }), [""; 0]);
        let after = Reading { private_kb: SLACK_KB + 1, ..Reading::default() };
        assert_eq!(grown(after), ["private memory, KB"]);
    }
}
