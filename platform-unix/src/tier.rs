//! How firm the hold on trees is.

use std::fmt;
use std::path::PathBuf;

use crate::cgroup::{Cgroups, EmptyLeaves, Home};
use crate::shim::Shim;

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
    /// What would keep hold of trees here: tries it, and leaves everything as it was. Blocks for some
    /// milliseconds. Call it when no [`shim`](crate::shim) of this process runs.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn look(shim: Option<Shim>) -> Self {
        let shim = shim.ok_or_else(|| "this program cannot enter a cgroup".to_owned());
        let made = shim.and_then(|shim| {
            let home = Home::of_this_process()?;
            let folder = home.dir().to_owned();
            Cgroups::make(home, shim, EmptyLeaves::new()).map(|_| folder)
        });
        match made {
            Ok(folder) => Self::Cgroup { folder },
            Err(why) => Self::without_cgroups(why),
        }
    }

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
