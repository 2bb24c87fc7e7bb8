//! What is wrong with a configuration, collected instead of given up on.

use super::source::Place;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) message: String,
    /// What to do.
    pub(super) hint: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub(super) also: Option<(Place, String)>,
}

/// Everything that is wrong, each thing once.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problem {
    pub(super) fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), hint: None, also: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn also(self, place: &Place, what: impl Into<String>) -> Self {
        Self { also: Some((place.clone(), what.into())), ..self }
    }
}

impl Problems {
    /// What stands in `[defaults]` is looked at once for each slot, and said once.
    pub(super) fn add(&mut self, problem: Problem) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// By file, then from top to bottom.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| (problem.place.file, problem.place.span.start));
        self.0
    }
}
