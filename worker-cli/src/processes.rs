//! Processes in words, for messages.

use std::fs;

/// Longer command lines are cut.
const COMMAND_LENGTH: usize = 60;

/// `` pid 812 `node server.js` ``, or `pid 812` where the command cannot be read.
#[must_use]
pub fn describe(pid: i32) -> String {
    match command(pid) {
        Some(command) => format!("pid {pid} `{command}`"),
        None => format!("pid {pid}"),
    }
}

/// Its command line, shortened; none where it cannot be read.
pub(crate) fn command(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line);
    let words: Vec<&str> = line.split('\0').filter(|word| !word.is_empty()).collect();
    let command = words.join(" ");
    if command.is_empty() { name(pid) } else { Some(shortened(&command)) }
}

/// A process without a command line: a zombie, or one of the kernel.
fn name(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

fn shortened(command: &str) -> String {
    let is_plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = command.chars().map(is_plain).take(COMMAND_LENGTH).collect();
    if kept.len() < command.len() {
        kept.push('…');
    }
    kept
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_described_by_its_number_and_command() {
        let own = i32::try_from(std::process::id()).unwrap();
        let described = describe(own);
        assert!(described.starts_with(&format!("pid {own} `")), "{described}");
        assert_eq!(describe(i32::MAX), format!("pid {}", i32::MAX));
    }

    #[test]
    fn a_long_command_is_cut_and_signs_that_move_the_cursor_are_left_out() {
        let cut = shortened(&format!("a\x1b[2J{}", "b".repeat(100)));
        assert!(cut.starts_with("a [2Jbbb") && cut.ends_with('…'), "{cut}");
        assert_eq!(cut.chars().count(), COMMAND_LENGTH + 1);
    }
}
