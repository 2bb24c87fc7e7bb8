//! Counts processes in /proc, by a variable that they inherit, without asking the supervisor.

use std::fs;
use std::path::Path;

use crate::error::{Code, Failure};

/// The variable.
pub(super) const MARK: &str = "WORKER_DEMO";

/// A process with the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) session: i32,
    /// The last word of its command line.
    pub(super) role: String,
    /// In bytes.
    pub(super) memory: u64,
}

/// # Errors
///
/// [`Failure`] where there is nothing to count in.
pub(super) fn check_possible() -> Result<(), Failure> {
    if Path::new("/proc/self/environ").exists() {
        return Ok(());
    }
    let message = "the demo counts processes in /proc, which is not there";
    Err(Failure::new(Code::Failed, message).hint("`worker run` works without it"))
}

/// All processes that have the mark with this value.
pub(super) fn count(mark: &str) -> Vec<Member> {
    let wanted = format!("{MARK}={mark}");
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut members: Vec<Member> =
        pids.filter(|pid| has(*pid, &wanted)).filter_map(member).collect();
    members.sort_by_key(|member| member.pid);
    members
}

fn has(pid: i32, variable: &str) -> bool {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environ.split(|byte| *byte == 0).any(|one| one == variable.as_bytes())
}

fn member(pid: i32) -> Option<Member> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc_pid_stat(5): the name is in parentheses and may hold any sign.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    let field = |index: usize| fields.get(index)?.parse::<i32>().ok();
    let cmdline = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let cmdline = String::from_utf8_lossy(&cmdline).into_owned();
    let role = cmdline.trim_end_matches('\0').rsplit('\0').next().unwrap_or_default();
    Some(Member {
        pid,
        parent: field(1)?,
        session: field(3)?,
        role: role.trim_start_matches('_').to_owned(),
        memory: anonymous_memory(pid),
    })
}

/// `RssAnon` of proc_pid_status(5): what it would give back if it ended.
fn anonymous_memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_processes_with_the_mark_are_counted() {
        assert_eq!(count("nobody has this one"), []);
        let own = i32::try_from(std::process::id()).unwrap();
        let own = member(own).unwrap();
        assert!(own.memory > 0 && own.parent > 0 && own.session >= 0, "{own:?}");
    }
}
