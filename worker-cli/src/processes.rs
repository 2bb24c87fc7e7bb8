//! Processes in words, for messages.

use std::fs;
use std::time::Duration;

/// Longer command lines are cut.
const COMMAND_LENGTH: usize = 60;

/// `1 process`, `2 processes`.
#[must_use]
pub fn count(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

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

/// A variable of the environment that it was started with; none where it cannot be read.
pub(crate) fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    variables.find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// How long ago it was started; none where it cannot be read.
#[cfg(target_os = "linux")]
pub(crate) fn age(pid: i32) -> Option<Duration> {
    // Field 22 is `starttime`, in ticks since boot, as is the uptime: proc_pid_stat(5). The name,
    // which is field 2, ends with the last parenthesis.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: f64 = stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
    let per_second = f64::from(u32::try_from(rustix::param::clock_ticks_per_second()).ok()?);
    Duration::try_from_secs_f64((uptime - ticks / per_second).max(0.0)).ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn age(_: i32) -> Option<Duration> {
    None
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
    fn a_process_is_as_old_as_its_start_is_long_ago() {
        let own = i32::try_from(std::process::id()).unwrap();
        let (ours, first) = (age(own).unwrap(), age(1).unwrap());
        assert!(ours <= first, "{ours:?} {first:?}");
        assert_eq!(age(i32::MAX), None);
        let path = std::env::var("PATH").unwrap();
        assert_eq!(variable(own, "PATH"), Some(path));
        assert_eq!(variable(own, "PAT"), None);
    }

    #[test]
    fn a_long_command_is_cut_and_signs_that_move_the_cursor_are_left_out() {
        let cut = shortened(&format!("a\x1b[2J{}", "b".repeat(100)));
        assert!(cut.starts_with("a [2Jbbb") && cut.ends_with('…'), "{cut}");
        assert_eq!(cut.chars().count(), COMMAND_LENGTH + 1);
    }
}
