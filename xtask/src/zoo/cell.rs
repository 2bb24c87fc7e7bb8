//! A cell of the matrix, and what is found in it.

use super::cannot::{self, Survivors};
use super::end::End;
use super::specimen::{SPECIMENS, Specimen};

/// One tree that comes to one end in one place.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) specimen: &'static Specimen,
    pub(super) end: End,
    pub(super) place: Place,
}

/// Where it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tier: Tier,
    pub(super) user: User,
}

/// What keeps hold of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Subreaper,
    Cgroup,
}

/// Whose tree it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    Root,
    Ordinary,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing was left.
    Zero,
    /// Some were left, and no mechanism can help it, for this reason.
    Cannot(&'static str),
    Failed(String),
    /// The machine lacks the means.
    Skipped(String),
}

impl Place {
    pub(super) const ALL: [Self; 4] = [
        Self { tier: Tier::Subreaper, user: User::Root },
        Self { tier: Tier::Subreaper, user: User::Ordinary },
        Self { tier: Tier::Cgroup, user: User::Root },
        Self { tier: Tier::Cgroup, user: User::Ordinary },
    ];

    pub(super) fn name(self) -> String {
        format!("{} tier, as {}", self.tier.name(), self.user.name())
    }
}

impl Tier {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Subreaper => "subreaper",
            Self::Cgroup => "cgroup",
        }
    }
}

impl User {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Ordinary => "an ordinary user",
        }
    }
}

impl Cell {
    /// Every cell, place by place, tree by tree.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Place::ALL.into_iter().flat_map(|place| {
            SPECIMENS.iter().flat_map(move |specimen| {
                End::ALL.into_iter().map(move |end| Self { specimen, end, place })
            })
        })
    }

    pub(super) fn name(&self) -> String {
        format!("{} / {} / {}", self.specimen.name, self.end.name(), self.place.name())
    }

    /// What so many survivors mean.
    pub(super) fn outcome(&self, survivors: Survivors) -> Outcome {
        if survivors.all == 0 {
            return Outcome::Zero;
        }
        let failed = || Outcome::Failed(format!("{} left", survivors.all));
        cannot::reason(self, survivors).map_or_else(failed, Outcome::Cannot)
    }
}

impl Outcome {
    /// As it stands in the table.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Zero => "0",
            Self::Cannot(_) => "cannot",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "-",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_cell(tree: &'static str, end: End, tier: Tier) -> Cell {
        let is_meant =
            |cell: &Cell| cell.specimen.name == tree && cell.end == end && cell.place.tier == tier;
        Cell::all().find(is_meant).unwrap()
    }

    #[test]
    fn only_what_cannot_be_found_may_be_left() {
        let left = |all, untraceable| Survivors { all, untraceable };
        let wiped = "env wiped, argv overwritten";
        let cell = a_cell(wiped, End::KillBoth, Tier::Subreaper);
        assert_eq!(cell.outcome(left(0, 0)), Outcome::Zero);
        assert!(matches!(cell.outcome(left(2, 2)), Outcome::Cannot(_)));
        assert!(matches!(cell.outcome(left(2, 1)), Outcome::Failed(_)), "one can be found");
        for (end, tier) in [(End::KillSupervisor, Tier::Subreaper), (End::KillBoth, Tier::Cgroup)] {
            assert!(matches!(a_cell(wiped, end, tier).outcome(left(1, 1)), Outcome::Failed(_)));
        }
    }
}
