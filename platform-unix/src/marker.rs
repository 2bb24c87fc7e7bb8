//! The marker: an environment variable that says which run of which supervisor a process is of.
//!
//! It finds the run of a process that left both the group and the session of its run and then lost
//! its parent. Its value is a chain with one entry per supervisor, the outermost first:
//!
//! ```text
//! WORKER_MARKER=<boot id>:<supervisor pid>:<supervisor start time>:<run>[,<entry>]…
//! ```
//!
//! A supervisor that itself runs under another one keeps that one's entry in front of its own. So
//! when a nested supervisor dies and its children fall to us, they still name our run; and an
//! entry of a neighbour never looks like ours.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use worker_core::RunId;

use crate::supervisor_id::SupervisorId;

/// The name of the environment variable that every spawned process carries.
pub const MARKER: &str = "WORKER_MARKER";

/// Who we are, for the marker.
pub(crate) struct Marker {
    /// The chain that we inherited, with the comma behind it.
    inherited: Vec<u8>,
    /// `<boot id>:<pid>:<start time>:` of ours.
    own: String,
}

impl Marker {
    pub(crate) fn of_this_process() -> Self {
        let own = SupervisorId::of_this_process().marker_prefix();
        let mut inherited = std::env::var_os(MARKER).map(OsString::into_vec).unwrap_or_default();
        if !inherited.is_empty() {
            inherited.push(b',');
        }
        Self { inherited, own }
    }

    /// The value of the variable for a process of `run`.
    pub(crate) fn value(&self, run: RunId) -> OsString {
        let mut value = self.inherited.clone();
        value.extend_from_slice(self.own.as_bytes());
        value.extend_from_slice(run.get().to_string().as_bytes());
        OsString::from_vec(value)
    }

    /// The run of ours that an environment (`NAME=VALUE` strings, each with a NUL behind it) names.
    pub(crate) fn run_in(&self, environment: &[u8]) -> Option<RunId> {
        run_of(&self.own, environment)
    }
}

/// The run that an environment names for the supervisor whose entries begin with `prefix`.
pub(crate) fn run_of(prefix: &str, environment: &[u8]) -> Option<RunId> {
    let value = environment.split(|&byte| byte == 0).find_map(marker_value)?;
    let mut entries = value.split(|&byte| byte == b',');
    let number = entries.find_map(|entry| entry.strip_prefix(prefix.as_bytes()))?;
    std::str::from_utf8(number).ok()?.parse().ok().map(RunId::new)
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.own)
    }
}

fn marker_value(variable: &[u8]) -> Option<&[u8]> {
    variable.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"=")
}

/// Whether this is the name of the marker.
pub(crate) fn is_marker(name: &std::ffi::OsStr) -> bool {
    name.as_bytes() == MARKER.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor(own: &str, inherited: &str) -> Marker {
        Marker { inherited: inherited.as_bytes().to_vec(), own: own.to_owned() }
    }

    fn environment(value: OsString) -> Vec<u8> {
        [b"PATH=/bin\0WORKER_MARKER=".as_slice(), value.as_bytes(), b"\0HOME=/\0"].concat()
    }

    #[test]
    fn a_supervisor_finds_its_own_run() {
        let ours = supervisor("boot:10:777:", "");
        assert_eq!(ours.run_in(&environment(ours.value(RunId::new(3)))), Some(RunId::new(3)));
    }

    #[test]
    fn neighbours_never_take_each_others_runs() {
        let ours = supervisor("boot:10:777:", "");
        for other in ["boot:10:778:", "boot:1:777:", "toob:10:777:", "boot:110:777:"] {
            let theirs = supervisor(other, "");
            assert_eq!(ours.run_in(&environment(theirs.value(RunId::new(3)))), None, "{other}");
        }
    }

    #[test]
    fn a_child_of_a_nested_supervisor_names_the_run_of_each() {
        let outer = supervisor("boot:10:777:", "");
        let inherited = outer.value(RunId::new(3)).into_string().unwrap() + ",";
        let nested = supervisor("boot:20:888:", &inherited);
        let environment = environment(nested.value(RunId::new(5)));
        assert_eq!(outer.run_in(&environment), Some(RunId::new(3)));
        assert_eq!(nested.run_in(&environment), Some(RunId::new(5)));
    }

    #[test]
    fn a_wiped_or_foreign_environment_names_no_run() {
        let ours = supervisor("boot:10:777:", "");
        for environment in ["", "\0\0\0", "WORKER_MARKER=\0", "WORKER_MARKER=boot:10:777:x\0"] {
            assert_eq!(ours.run_in(environment.as_bytes()), None);
        }
    }
}
