//! What `/proc` says, and signals that cannot hit a stranger.

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::process::{
    Pid as RawPid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, wait,
};

/// The number of a process.
pub(super) type Pid = i32;

/// A process, as proc_pid_stat(5) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) state: char,
    pub(super) parent: Pid,
    pub(super) group: Pid,
    pub(super) session: Pid,
    start: u64,
}

impl Process {
    pub(super) fn find(pid: Pid) -> Option<Self> {
        Self::parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(pid: Pid, stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let number = |index: usize| fields.get(index)?.parse().ok();
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            start: fields.get(19)?.parse().ok()?,
        })
    }

    /// Not a zombie.
    pub(super) const fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }

    /// Whether this is the same process, however it has moved since.
    pub(super) const fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.start == other.start
    }

    /// Whether it lives, and is not another one by now.
    pub(super) fn is_still_there(&self) -> bool {
        Self::find(self.pid).is_some_and(|now| now.is(self) && now.lives())
    }

    /// Whether it has this file open.
    pub(super) fn holds(&self, file: &Path) -> bool {
        let open = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == file)
    }

    /// A variable of its environment, as far as that can be seen.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let environ = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let environ = String::from_utf8_lossy(&environ).into_owned();
        let mut variables = environ.split('\0').filter_map(|variable| variable.split_once('='));
        variables.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }

    /// Its command line, or its name where that is empty.
    pub(super) fn describe(&self) -> String {
        let read = |file: &str| fs::read(format!("/proc/{}/{file}", self.pid)).unwrap_or_default();
        let words = read("cmdline");
        let words = if words.iter().all(|&byte| byte == 0) { read("comm") } else { words };
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let words: String = words.trim().chars().take(80).collect();
        format!("pid {} ({}) {words}", self.pid, self.state)
    }
}

/// A signal to a process, unless it is another one by now. True if it was sent.
pub(super) fn send(process: Process, signal: Signal) -> bool {
    pin(process).is_some_and(|pinned| pidfd_send_signal(pinned, signal).is_ok())
}

/// A signal to two processes, with nothing in between.
pub(super) fn send_in_turn(processes: [Process; 2], signal: Signal) -> Result<(), String> {
    let [Some(first), Some(second)] = processes.map(pin) else {
        return Err("worker is gone before its end".to_owned());
    };
    let sent = [pidfd_send_signal(first, signal), pidfd_send_signal(second, signal)];
    // The first signal may be the end of the second process, too.
    sent[0].map_err(|error| error.to_string())
}

fn pin(process: Process) -> Option<OwnedFd> {
    let pinned = pidfd_open(RawPid::from_raw(process.pid)?, PidfdFlags::empty()).ok()?;
    Process::find(process.pid).is_some_and(|now| now.is(&process)).then_some(pinned)
}

/// Every living process below this one. It adopts orphans, so that none is missed.
pub(super) fn descendants() -> Vec<Process> {
    let mut below: HashMap<Pid, Vec<Process>> = HashMap::new();
    for process in all() {
        below.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut parents = vec![own_pid()];
    while let Some(parent) = parents.pop() {
        let children = below.remove(&parent).unwrap_or_default();
        parents.extend(children.iter().map(|child| child.pid));
        found.extend(children);
    }
    found.retain(Process::lives);
    found
}

fn all() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Process::find(entry.file_name().to_str()?.parse().ok()?))
}

fn own_pid() -> Pid {
    Pid::try_from(std::process::id()).unwrap_or_default()
}

/// Collects dead children from here on, as the first process of a system does.
pub(super) fn keep_reaping() {
    std::thread::spawn(|| {
        loop {
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            std::thread::sleep(Duration::from_millis(2));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let rest = "S 1 10 20 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 0";
        let process = Process::parse(5, &format!("5 (a) b (c) {rest}"));
        let expected =
            Process { pid: 5, state: 'S', parent: 1, group: 10, session: 20, start: 777 };
        assert_eq!(process, Some(expected));
    }

    #[test]
    fn a_signal_does_not_hit_whoever_has_the_number_now() {
        let own = Process::find(own_pid()).unwrap();
        assert!(!send(Process { start: own.start + 1, ..own }, Signal::KILL));
    }
}
