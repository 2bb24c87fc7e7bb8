//! How runs end, and why: causes are data.

use core::fmt;
use core::time::Duration;

/// A signal by its POSIX name. Numbers differ between systems; the platform crates translate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(missing_docs, reason = "the names are POSIX's own")]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Ill,
    Trap,
    Abrt,
    Bus,
    Fpe,
    Kill,
    Usr1,
    Segv,
    Usr2,
    Pipe,
    Alrm,
    Term,
    Chld,
    Cont,
    Stop,
    Tstp,
    Ttin,
    Ttou,
    Urg,
    Xcpu,
    Xfsz,
    Vtalrm,
    Prof,
    Winch,
    Io,
    Pwr,
    Sys,
    Stkflt,
    /// A signal without a name of its own, such as a real-time one, by the platform's number.
    Other(u8),
}

impl Signal {
    /// Every signal that has a name, with the name.
    pub const NAMED: [(Self, &'static str); 31] = [
        (Self::Hup, "SIGHUP"),
        (Self::Int, "SIGINT"),
        (Self::Quit, "SIGQUIT"),
        (Self::Ill, "SIGILL"),
        (Self::Trap, "SIGTRAP"),
        (Self::Abrt, "SIGABRT"),
        (Self::Bus, "SIGBUS"),
        (Self::Fpe, "SIGFPE"),
        (Self::Kill, "SIGKILL"),
        (Self::Usr1, "SIGUSR1"),
        (Self::Segv, "SIGSEGV"),
        (Self::Usr2, "SIGUSR2"),
        (Self::Pipe, "SIGPIPE"),
        (Self::Alrm, "SIGALRM"),
        (Self::Term, "SIGTERM"),
        (Self::Chld, "SIGCHLD"),
        (Self::Cont, "SIGCONT"),
        (Self::Stop, "SIGSTOP"),
        (Self::Tstp, "SIGTSTP"),
        (Self::Ttin, "SIGTTIN"),
        (Self::Ttou, "SIGTTOU"),
        (Self::Urg, "SIGURG"),
        (Self::Xcpu, "SIGXCPU"),
        (Self::Xfsz, "SIGXFSZ"),
        (Self::Vtalrm, "SIGVTALRM"),
        (Self::Prof, "SIGPROF"),
        (Self::Winch, "SIGWINCH"),
        (Self::Io, "SIGIO"),
        (Self::Pwr, "SIGPWR"),
        (Self::Sys, "SIGSYS"),
        (Self::Stkflt, "SIGSTKFLT"),
    ];

    /// The signal called `name`, with or without the prefix `SIG`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let bare = |full: &'static str| full.trim_start_matches("SIG");
        Self::NAMED
            .iter()
            .find(|(_, full)| {
                name.eq_ignore_ascii_case(full) || name.eq_ignore_ascii_case(bare(full))
            })
            .map(|&(signal, _)| signal)
    }
}

/// `SIGTERM`, or `signal 34` where there is no name.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Other(number) = self {
            return write!(f, "signal {number}");
        }
        let named = Self::NAMED.iter().find(|(signal, _)| signal == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

/// How a leader ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(Signal),
    /// It is gone and nobody can say how: its whole tree was found empty before its exit was seen.
    Unknown,
}

impl Exit {
    /// Code 0 and no signal.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

/// `code=3 signal=-`, as the breaker's message quotes it.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code={code} signal=-"),
            Self::Signal(signal) => write!(f, "code=- signal={signal}"),
            Self::Unknown => f.write_str("code=? signal=?"),
        }
    }
}

/// Why a spawn did not happen. The host keeps the details (paths, holders of a port) by run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SpawnFailure {
    /// No such program.
    NotFound,
    /// The program is there and cannot be executed: permissions, a folder, a bad interpreter.
    NotExecutable,
    /// The folder to run in is missing or closed.
    BadFolder,
    /// No block of ports could be had.
    NoPorts,
    /// The machine had no room: processes, descriptors or memory.
    NoResources,
    /// The host did not answer in [`SPAWN_LIMIT`](crate::SPAWN_LIMIT).
    TimedOut,
    /// Anything else.
    Other,
}

impl fmt::Display for SpawnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such program",
            Self::NotExecutable => "the program cannot be executed",
            Self::BadFolder => "the folder cannot be entered",
            Self::NoPorts => "no free ports",
            Self::NoResources => "the machine is out of processes, descriptors or memory",
            Self::TimedOut => "the spawn was not answered in time",
            Self::Other => "the spawn failed",
        })
    }
}

/// How a preparation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PrepareFailure {
    /// It could not be spawned.
    Spawn(SpawnFailure),
    /// It ended badly.
    Exit(Exit),
    /// It took longer than this.
    TimedOut(Duration),
    /// It ended well, and something that it left behind cannot be ended.
    Unkillable,
}

/// Why a run went down, or why there was none: the cause of one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DownCause {
    /// The leader of a running slot ended.
    Exited(Exit),
    /// The leader ended before it was ready, with whatever code.
    ExitedBeforeReady(Exit),
    /// It was not ready in time.
    ReadyTimeout(Duration),
    /// This many liveness probes in a row failed.
    Unresponsive(u32),
    /// It used more memory than it may.
    MemoryBreach {
        /// What was measured, in bytes.
        bytes: u64,
        /// What is allowed, in bytes.
        limit: u64,
    },
    /// It could not be spawned.
    SpawnFailed(SpawnFailure),
    /// Its preparation failed.
    PrepareFailed(PrepareFailure),
}

impl DownCause {
    /// Whether the next run takes the block of this one: yes after a crash of a running slot, no
    /// where the block may be what kept it from running.
    pub(crate) const fn keeps_block(self) -> bool {
        match self {
            Self::Exited(_) | Self::Unresponsive(_) | Self::MemoryBreach { .. } => true,
            Self::ExitedBeforeReady(_)
            | Self::ReadyTimeout(_)
            | Self::SpawnFailed(_)
            | Self::PrepareFailed(_) => false,
        }
    }
}

/// A fragment that fits behind "the run went down: ".
impl fmt::Display for DownCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(exit) => write!(f, "{exit}"),
            Self::ExitedBeforeReady(exit) => write!(f, "{exit} before it was ready"),
            Self::ReadyTimeout(limit) => write!(f, "not ready within {limit:?}"),
            Self::Unresponsive(probes) => write!(f, "{probes} liveness probes in a row failed"),
            Self::MemoryBreach { bytes, limit } => {
                write!(f, "memory of {bytes} bytes is over the limit of {limit}")
            }
            Self::SpawnFailed(failure) => write!(f, "{failure}"),
            Self::PrepareFailed(PrepareFailure::Spawn(failure)) => {
                write!(f, "prepare failed: {failure}")
            }
            Self::PrepareFailed(PrepareFailure::Exit(exit)) => write!(f, "prepare failed: {exit}"),
            Self::PrepareFailed(PrepareFailure::TimedOut(limit)) => {
                write!(f, "prepare took longer than {limit:?}")
            }
            Self::PrepareFailed(PrepareFailure::Unkillable) => {
                f.write_str("prepare left processes behind that SIGKILL does not end")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_signal_is_found_by_its_name_with_or_without_prefix_in_any_case() {
        for (signal, name) in Signal::NAMED {
            assert_eq!(Signal::from_name(name), Some(signal));
            assert_eq!(Signal::from_name(&name[3..].to_lowercase()), Some(signal));
            assert_eq!(signal.to_string(), name);
        }
        assert_eq!(Signal::from_name("SIG"), None);
        assert_eq!(Signal::from_name("TERMINATE"), None);
        assert_eq!(Signal::Other(34).to_string(), "signal 34");
    }

    #[test]
    fn every_cause_fits_behind_a_colon() {
        let limit = Duration::from_secs(30);
        let memory = DownCause::MemoryBreach { bytes: 11, limit: 10 };
        let prepare = DownCause::PrepareFailed;
        for (cause, words) in [
            (DownCause::Exited(Exit::Code(3)), "code=3 signal=-"),
            (DownCause::Exited(Exit::Signal(Signal::Kill)), "code=- signal=SIGKILL"),
            (DownCause::Exited(Exit::Unknown), "code=? signal=?"),
            (DownCause::ExitedBeforeReady(Exit::Code(0)), "code=0 signal=- before it was ready"),
            (DownCause::ReadyTimeout(limit), "not ready within 30s"),
            (DownCause::Unresponsive(3), "3 liveness probes in a row failed"),
            (memory, "memory of 11 bytes is over the limit of 10"),
            (DownCause::SpawnFailed(SpawnFailure::NotFound), "no such program"),
            (prepare(PrepareFailure::Exit(Exit::Code(1))), "prepare failed: code=1 signal=-"),
            (
                prepare(PrepareFailure::Spawn(SpawnFailure::NoPorts)),
                "prepare failed: no free ports",
            ),
            (prepare(PrepareFailure::TimedOut(limit)), "prepare took longer than 30s"),
            (
                prepare(PrepareFailure::Unkillable),
                "prepare left processes behind that SIGKILL does not end",
            ),
        ] {
            assert_eq!(cause.to_string(), words);
        }
    }

    #[test]
    fn only_code_0_is_a_success() {
        assert!(Exit::Code(0).is_success());
        for exit in [Exit::Code(1), Exit::Signal(Signal::Term), Exit::Unknown] {
            assert!(!exit.is_success());
        }
    }
}
