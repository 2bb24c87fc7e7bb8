//! How often a stop was asked for.

use worker_core::Urgency;

/// Where a signal that asks for a stop came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// At this process.
    Own,
    /// At its guardian.
    Guardian,
}

/// Counts by source: `pkill worker`, or a service manager that stops every process of a service,
/// sends one signal to the guardian and one to us, and means one stop.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stops {
    own: u32,
    guardian: u32,
}

impl Stops {
    /// Takes note of a signal; answers what it asks for, if that is anything new.
    pub(crate) fn ask(&mut self, source: Source) -> Option<Urgency> {
        let before = self.own.max(self.guardian);
        let count = match source {
            Source::Own => &mut self.own,
            Source::Guardian => &mut self.guardian,
        };
        *count += 1;
        match (before, *count) {
            (0, _) => Some(Urgency::Orderly),
            (_, 1) => None,
            (_, _) => Some(Urgency::Immediate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sources: &[Source]) -> Vec<Option<Urgency>> {
        let mut stops = Stops::default();
        sources.iter().map(|source| stops.ask(*source)).collect()
    }

    #[test]
    fn a_second_signal_of_the_same_source_ends_it_at_once() {
        for source in [Source::Own, Source::Guardian] {
            let expected = [Some(Urgency::Orderly), Some(Urgency::Immediate)];
            assert_eq!(asked(&[source, source]), expected);
        }
    }

    #[test]
    fn a_signal_to_every_process_counts_once() {
        let (own, guardian) = (Source::Own, Source::Guardian);
        assert_eq!(asked(&[own, guardian]), [Some(Urgency::Orderly), None]);
        let twice = asked(&[guardian, own, own, guardian]);
        assert_eq!(
            twice,
            [Some(Urgency::Orderly), None, Some(Urgency::Immediate), Some(Urgency::Immediate)]
        );
    }
}
