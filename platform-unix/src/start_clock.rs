//! When a child started, by the clock.
//!
//! To ask the system waits until the child has executed its program, and wakes us in the middle of
//! that, on a processor that the child could use. But the start lies between two readings of the
//! clock around the spawn, and as a rule both say the same: its unit is far longer than a spawn.

use crate::Pid;
use crate::os;

/// The clock, once the system was seen to go by it, too.
#[derive(Debug, Default)]
pub(crate) struct StartClock {
    /// Whether the system said the same of the first child: not every one that looks like Linux
    /// need.
    agrees: Option<bool>,
}

impl StartClock {
    /// When a child started that was spawned since the clock said `before`, as
    /// [`Process::start`](crate::os::Process) has it. None where the clock does not tell: then the
    /// system is to be asked.
    pub(crate) fn start_of(&mut self, child: Pid, before: Option<u64>) -> Option<u64> {
        let start = before.filter(|_| os::start_now() == before)?;
        let is_told = || os::process(child).is_some_and(|child| child.start == start);
        self.agrees.get_or_insert_with(is_told).then_some(start)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use rustix::process::{Signal, WaitOptions, kill_process, waitpid};

    use super::*;

    #[test]
    fn the_clock_says_what_the_system_says() {
        let mut clock = StartClock::default();
        let mut told = 0;
        for _ in 0..50 {
            let before = os::start_now();
            let spawn = || Command::new("/bin/sleep").arg("60").spawn();
            let number = rustix::process::Pid::from_child(&spawn().unwrap());
            let pid = number.as_raw_nonzero().get();
            if let Some(start) = clock.start_of(pid, before) {
                assert_eq!(start, os::process(pid).unwrap().start);
                told += 1;
            }
            kill_process(number, Signal::KILL).unwrap();
            waitpid(Some(number), WaitOptions::empty()).unwrap();
        }
        assert!(told > 0);
    }

    #[test]
    fn a_spawn_from_one_unit_to_the_next_tells_nothing() {
        let mut clock = StartClock { agrees: Some(true) };
        let pid = Pid::try_from(std::process::id()).unwrap();
        assert_eq!(clock.start_of(pid, os::start_now().map(|now| now - 1)), None);
        assert_eq!(clock.start_of(pid, None), None);
    }

    #[test]
    fn a_clock_that_the_system_does_not_go_by_is_never_used() {
        let mut clock = StartClock::default();
        let own = Pid::try_from(std::process::id()).unwrap();
        // This process has started a while ago.
        let started = os::process(own).unwrap().start;
        while os::start_now() == Some(started) {
            std::thread::yield_now();
        }
        while clock.agrees.is_none() {
            assert_eq!(clock.start_of(own, os::start_now()), None);
        }
        assert_eq!(clock.agrees, Some(false));
    }
}
