//! How firm the hold on trees is.

use std::fmt;
use std::path::PathBuf;

/// What keeps hold of trees, the best that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Each run has a cgroup of its own. Nothing leaves it by accident, and whatever is in it is
    /// ended at once.
    Cgroup {
        /// The folder that the cgroups are made in.
        folder: PathBuf,
    },
    /// What loses its parent falls to this process, a child subreaper (Linux).
    Subreaper {
        /// Why not by cgroups.
        no_cgroups: String,
    },
    /// What is in the leader's process group, or was seen below it (macOS).
    Group {
        /// Why not by cgroups.
        no_cgroups: String,
    },
}

impl Tier {
    pub(crate) fn without_cgroups(no_cgroups: String) -> Self {
        if cfg!(target_os = "linux") {
            Self::Subreaper { no_cgroups }
        } else {
            Self::Group { no_cgroups }
        }
    }
}

/// The name for a person: `cgroup`, `subreaper` or `group`.
impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cgroup { .. } => "cgroup",
            Self::Subreaper { .. } => "subreaper",
            Self::Group { .. } => "group",
        })
    }
}
