//! Ctrl-Z and `fg`, as one process would answer them.

/// What the terminal asked for last. The supervisor answers SIGTSTP by stopping itself, after its
/// trees; only then may the guardian stop, which is what the shell waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Job {
    /// Nothing that was not answered.
    #[default]
    Running,
    /// To stop.
    Stopping,
    /// To go on, before the supervisor had stopped.
    Resuming,
}

/// What follows when the supervisor has stopped. In the end it is continued in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnStop {
    /// Stop as well, and return when continued.
    Pause,
    /// Its stop is out of date.
    GoOn,
}

impl Job {
    pub(super) fn stop_asked(&mut self) {
        *self = Self::Stopping;
    }

    pub(super) fn resume_asked(&mut self) {
        *self = match self {
            Self::Running => Self::Running,
            Self::Stopping | Self::Resuming => Self::Resuming,
        };
    }

    /// Somebody may also have stopped the supervisor alone, by SIGSTOP: the job as a whole follows.
    pub(super) fn supervisor_stopped(&mut self) -> OnStop {
        match std::mem::take(self) {
            Self::Running | Self::Stopping => OnStop::Pause,
            Self::Resuming => OnStop::GoOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guardian_stops_after_the_supervisor() {
        let mut job = Job::default();
        job.stop_asked();
        assert_eq!(job.supervisor_stopped(), OnStop::Pause);
        job.resume_asked();
        assert_eq!(job, Job::Running);
    }

    #[test]
    fn a_stop_that_was_taken_back_meanwhile_is_not_carried_out() {
        let mut job = Job::default();
        job.stop_asked();
        job.resume_asked();
        assert_eq!(job.supervisor_stopped(), OnStop::GoOn);
        assert_eq!(job, Job::Running);
    }

    #[test]
    fn a_stop_after_that_counts_again() {
        let mut job = Job::default();
        job.stop_asked();
        job.resume_asked();
        job.stop_asked();
        assert_eq!(job.supervisor_stopped(), OnStop::Pause);
    }

    #[test]
    fn a_supervisor_that_somebody_stopped_stops_the_job() {
        assert_eq!(Job::default().supervisor_stopped(), OnStop::Pause);
    }
}
