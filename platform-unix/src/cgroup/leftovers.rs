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
        tracing::warn!("{}", in_words(supervisor.pid, &processes, folder.path(), is_empty));
    }
    let _ = folder.remove(); // If a process is left the next start tries again.
}

fn in_words(supervisor: Pid, processes: &[Pid], folder: &Path, is_empty: bool) -> String {
    let noun = if processes.len() == 1 { "process" } else { "processes" };
    let pids: Vec<String> = processes.iter().map(Pid::to_string).collect();
    let what = format!(
        "{} {noun} (pid {}) that a killed supervisor (pid {supervisor}) had left behind in the \
         cgroup {}",
        processes.len(),
        pids.join(", "),
        folder.display()
    );
    if is_empty {
        format!("ended {what}")
    } else {
        format!("sent SIGKILL to {what}, and it is not empty yet: the next start tries again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ended_is_told_with_whose_it_was_and_where() {
        let folder = Path::new("/sys/fs/cgroup/worker-812");
        let told = in_words(812, &[900], folder, true);
        let place = "that a killed supervisor (pid 812) had left behind in the cgroup \
                     /sys/fs/cgroup/worker-812";
        assert_eq!(told, format!("ended 1 process (pid 900) {place}"));
        let told = in_words(812, &[900, 901], folder, false);
        let more = ", and it is not empty yet: the next start tries again";
        assert_eq!(told, format!("sent SIGKILL to 2 processes (pid 900, 901) {place}{more}"));
    }
}
