//! The name of a supervisor's folder, which tells whether that supervisor lives.

use crate::Pid;
use crate::os;

const PREFIX: &str = "worker.";

/// Whose folder it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Supervisor {
    boot: String,
    /// Numbers of processes mean something in this namespace only.
    namespace: u64,
    pub(super) pid: Pid,
    start: u64,
}

/// The name of the folder of this process.
pub(super) fn of_this_process() -> String {
    let own = Supervisor {
        boot: os::boot_id(),
        namespace: os::pid_namespace(),
        pid: Pid::try_from(std::process::id()).unwrap_or_default(),
        start: os::own_start(),
    };
    own.folder()
}

impl Supervisor {
    fn folder(&self) -> String {
        let Self { boot, namespace, pid, start } = self;
        format!("{PREFIX}{boot}.{namespace}.{pid}.{start}")
    }

    /// Whose folder this is the name of; none if it is no name of ours.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('.');
        let supervisor = Self {
            boot: parts.next()?.to_owned(),
            namespace: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.parse().ok()?,
        };
        (supervisor.folder() == name).then_some(supervisor)
    }

    /// Whether it is gone for sure. Of a supervisor in another process namespace that cannot be
    /// told.
    pub(super) fn is_gone(&self) -> bool {
        let ours = self.boot == os::boot_id() && self.namespace == os::pid_namespace();
        ours && !os::process(self.pid)
            .is_some_and(|process| process.alive && process.start == self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Supervisor {
        Supervisor::of_folder(&of_this_process()).unwrap()
    }

    #[test]
    fn a_folder_names_its_supervisor() {
        assert_eq!(own().pid, Pid::try_from(std::process::id()).unwrap());
        assert!(!own().is_gone(), "we live");
    }

    #[test]
    fn a_number_that_means_another_process_now_is_gone() {
        assert!(Supervisor { start: own().start + 1, ..own() }.is_gone());
        assert!(Supervisor { pid: i32::MAX, ..own() }.is_gone());
    }

    #[test]
    fn of_another_boot_or_namespace_nothing_is_known() {
        let elsewhere = Supervisor { pid: i32::MAX, namespace: own().namespace + 1, ..own() };
        assert!(!elsewhere.is_gone());
        assert!(!Supervisor { boot: "b".to_owned(), ..elsewhere }.is_gone());
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in
            ["worker.slice", "worker.a.1.2", "worker.a.1.2.3.4", "a.scope", "worker.a.1.02.3"]
        {
            assert_eq!(Supervisor::of_folder(name), None, "{name}");
        }
    }
}
