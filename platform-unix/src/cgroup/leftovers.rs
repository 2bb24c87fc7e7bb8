//! Folders of supervisors that are gone, such as after a SIGKILL of one and of its guardian.

use std::path::Path;
use std::time::Duration;

use super::group::{Group, groups_in};
use super::home::Home;
use super::name::Supervisor;
use crate::Pid;

/// How long what got SIGKILL may take to be gone. Longer, and it cannot be killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folders of a supervisor that is gone, in the cgroup of this process.
pub(crate) fn folders_of(supervisor: Pid) -> Vec<Group> {
    let Ok(home) = Home::of_this_process() else { return Vec::new() };
    let found = abandoned_in(home.dir());
    found
        .into_iter()
        .filter(|(whose, _)| whose.pid == supervisor)
        .map(|(_, folder)| folder)
        .collect()
}

/// Empties and removes the folders of supervisors that are gone. They are looked for in the cgroup
/// of this process and in those beside it, where the scopes of other logins are.
pub(super) fn end_all(home: &Home) {
    let mut places = vec![home.dir().to_owned()];
    if let Some(above) = home.above() {
        let beside = groups_in(above).into_iter().map(|group| group.path().to_owned());
        places.extend(beside.filter(|place| place != home.dir()));
    }
    for (supervisor, folder) in places.iter().flat_map(|place| abandoned_in(place)) {
        end(&supervisor, &folder);
    }
}

fn abandoned_in(place: &Path) -> Vec<(Supervisor, Group)> {
    let groups = groups_in(place).into_iter();
    let named = groups.filter_map(|group| {
        let name = group.path().file_name()?.to_str()?;
        Some((Supervisor::of_folder(name)?, group))
    });
    named.filter(|(supervisor, _)| supervisor.is_gone()).collect()
}

fn end(supervisor: &Supervisor, folder: &Group) {
    let processes = folder.processes();
    if folder.kill().is_err() {
        return; // It is another user's.
    }
    let is_empty = folder.is_empty_within(PATIENCE);
    if !processes.is_empty() {
        tracing::warn!(
            supervisor = supervisor.pid,
            ?processes,
            is_empty,
            "SIGKILL was sent to processes that a supervisor which is gone had left behind"
        );
    }
    let _ = folder.remove(); // If a process is left the next start tries again.
}
