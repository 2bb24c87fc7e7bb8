//! How a `worker run` ends, as a value.

use worker_core::{Event, Exit, Signal};

use crate::exit_code;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The leader ended cleanly.
    Clean,
    /// The first end was final.
    Final(Exit),
    /// The breaker tripped.
    Parked,
    /// The first spawn failed.
    SpawnFailed,
    /// Processes are still there, long after SIGKILL.
    Unkillable,
    /// Somebody stopped it.
    Stopped {
        /// How the leader ended that lived when the stop began.
        leader: Option<Exit>,
        /// The signal that asked for the stop.
        signal: Signal,
    },
}

impl Ending {
    /// The exit code of `worker`. `number` gives a signal's number on this system.
    #[must_use]
    pub fn exit_code(self, number: impl Fn(Signal) -> Option<i32>) -> u8 {
        let by_signal = |signal| {
            let number = number(signal).and_then(|number| u8::try_from(number).ok());
            number.map_or(exit_code::FAILED, |number| exit_code::SIGNAL_BASE.saturating_add(number))
        };
        let by_exit = |exit| match exit {
            // The system itself keeps no more than eight bits of an exit code.
            Exit::Code(code) => code.to_le_bytes()[0],
            Exit::Signal(signal) => by_signal(signal),
            Exit::Unknown => exit_code::FAILED,
        };
        match self {
            Self::Clean => exit_code::DONE,
            Self::Final(exit) | Self::Stopped { leader: Some(exit), .. } => by_exit(exit),
            Self::Parked => exit_code::PARKED,
            Self::SpawnFailed | Self::Unkillable => exit_code::FAILED,
            Self::Stopped { leader: None, signal } => by_signal(signal),
        }
    }
}

/// Follows the events of the one slot, until they tell how it ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story {
    leader: Leader,
    stop: Option<Signal>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Leader {
    /// There is none, and what was before does not matter any more.
    #[default]
    None,
    /// It lives, or is about to.
    Lives,
    /// It ended, and this is the end that counts until the next one is spawned.
    Ended { exit: Exit, clean: bool },
}

impl Story {
    /// Takes note of a signal that asks for a stop. Only the first one counts.
    pub fn stop_asked(&mut self, signal: Signal) {
        self.stop.get_or_insert(signal);
    }

    /// Takes note of an event; answers how the run ended, if that was the last one.
    pub fn observe(&mut self, event: Event) -> Option<Ending> {
        match event {
            Event::Spawned { .. } => self.leader = Leader::Lives,
            Event::Exited { exit, clean, .. } => self.leader = Leader::Ended { exit, clean },
            Event::Restarting { .. } => self.leader = Leader::None,
            Event::Failed(_) => return Some(Ending::Parked),
            Event::Error(_) => return Some(Ending::SpawnFailed),
            Event::Unkillable => return Some(Ending::Unkillable),
            Event::Stopped => return Some(self.at_rest()),
            Event::Starting
            | Event::Ready { .. }
            | Event::TreeGone { .. }
            | Event::Stopping(_)
            | Event::Reset => {}
        }
        None
    }

    fn at_rest(self) -> Ending {
        match (self.stop, self.leader) {
            (Some(signal), Leader::Ended { exit, .. }) => {
                Ending::Stopped { leader: Some(exit), signal }
            }
            (Some(signal), Leader::None | Leader::Lives) => {
                Ending::Stopped { leader: None, signal }
            }
            (None, Leader::Ended { exit, clean: false }) => Ending::Final(exit),
            (None, Leader::Ended { clean: true, .. } | Leader::None | Leader::Lives) => {
                Ending::Clean
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use worker_core::{DownCause, Parked, SpawnFailure};

    use super::*;

    fn code(ending: Ending) -> u8 {
        let numbers = [(Signal::Int, 2), (Signal::Kill, 9), (Signal::Term, 15)];
        let number = |signal| numbers.iter().find(|(known, _)| *known == signal);
        ending.exit_code(|signal| number(signal).map(|(_, number)| *number))
    }

    fn end(stop_after: Option<usize>, events: &[Event]) -> Ending {
        let mut story = Story::default();
        for (index, event) in events.iter().enumerate() {
            if stop_after == Some(index) {
                story.stop_asked(Signal::Term);
                story.stop_asked(Signal::Int);
            }
            if let Some(ending) = story.observe(*event) {
                assert_eq!(index + 1, events.len(), "ended early: {ending:?}");
                return ending;
            }
        }
        panic!("the story has no end");
    }

    const SPAWNED: Event = Event::Spawned { block: None };
    const STOPPED: Event = Event::Stopped;

    fn exited(exit: Exit) -> Event {
        Event::Exited { exit, clean: exit.is_success(), uptime: Duration::ZERO }
    }

    fn restarting() -> Event {
        let cause = DownCause::Exited(Exit::Code(1));
        Event::Restarting { delay: Duration::ZERO, streak: 1, max_failures: 8, cause }
    }

    #[test]
    fn a_clean_end_is_0() {
        assert_eq!(code(end(None, &[SPAWNED, exited(Exit::Code(0)), STOPPED])), 0);
    }

    #[test]
    fn a_tripped_breaker_is_5() {
        let last = DownCause::Exited(Exit::Code(1));
        let parked = Event::Failed(Parked { streak: 8, window: Duration::ZERO, last });
        assert_eq!(code(end(None, &[SPAWNED, exited(Exit::Code(1)), parked])), 5);
    }

    #[test]
    fn a_first_spawn_that_fails_is_1() {
        let error = Event::Error(DownCause::SpawnFailed(SpawnFailure::NotFound));
        assert_eq!(code(end(None, &[Event::Starting, error])), 1);
    }

    #[test]
    fn a_tree_that_cannot_be_killed_is_1() {
        assert_eq!(code(end(None, &[SPAWNED, Event::Unkillable])), 1);
    }

    #[test]
    fn a_stop_passes_on_how_the_leader_ended() {
        assert_eq!(code(end(Some(1), &[SPAWNED, exited(Exit::Code(7)), STOPPED])), 7);
        assert_eq!(code(end(Some(1), &[SPAWNED, exited(Exit::Code(0)), STOPPED])), 0);
        assert_eq!(
            code(end(Some(1), &[SPAWNED, exited(Exit::Signal(Signal::Term)), STOPPED])),
            143
        );
    }

    #[test]
    fn a_stop_whose_grace_ran_out_is_137() {
        assert_eq!(
            code(end(Some(1), &[SPAWNED, exited(Exit::Signal(Signal::Kill)), STOPPED])),
            137
        );
    }

    #[test]
    fn a_stop_without_a_process_is_the_first_signal_received() {
        let crashed = [SPAWNED, exited(Exit::Code(3)), restarting(), STOPPED];
        assert_eq!(code(end(Some(3), &crashed)), 143);
        assert_eq!(code(end(Some(0), &[STOPPED])), 143);
    }

    #[test]
    fn a_stop_while_the_tree_of_a_crashed_leader_is_emptied_passes_its_end_on() {
        assert_eq!(code(end(Some(2), &[SPAWNED, exited(Exit::Code(3)), STOPPED])), 3);
    }

    #[test]
    fn a_final_end_passes_the_leaders_own_end_on() {
        assert_eq!(code(end(None, &[SPAWNED, exited(Exit::Code(3)), STOPPED])), 3);
        let killed = exited(Exit::Signal(Signal::Kill));
        assert_eq!(code(end(None, &[SPAWNED, killed, STOPPED])), 137);
        assert_eq!(code(end(None, &[SPAWNED, exited(Exit::Unknown), STOPPED])), 1);
    }

    #[test]
    fn a_code_has_eight_bits_and_a_signal_without_a_number_is_a_failure() {
        assert_eq!(code(Ending::Final(Exit::Code(259))), 3);
        assert_eq!(code(Ending::Final(Exit::Signal(Signal::Other(200)))), 1);
    }
}
