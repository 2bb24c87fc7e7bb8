//! The platform of this process, as the command line asks for it.

use std::io;

use worker_platform_unix::{Shim, Tier, UnixPlatform};

use crate::args::Cgroup;
use crate::voice::Voice;

/// Sets it up. To be called once in a process, in a tokio runtime with io enabled.
pub(crate) fn set_up(cgroup: Cgroup, voice: &Voice) -> io::Result<UnixPlatform> {
    let shim = Shim::this_program().filter(|_| cgroup != Cgroup::Never);
    let platform = shim.map_or_else(UnixPlatform::new, UnixPlatform::with_cgroups)?;
    if cgroup == Cgroup::Scope
        && let Tier::Subreaper { no_cgroups } | Tier::Group { no_cgroups } = platform.tier()
    {
        voice.warn(&format!("--cgroup scope: in the scope of systemd's, too, {no_cgroups}"));
    }
    Ok(platform)
}
