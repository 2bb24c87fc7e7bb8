//! What a cgroup of its own adds for a run.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal as Native;
use worker_core::{Exit, Kill, RunId, Signal, Spawn, TreeEnd};
use worker_platform_unix::{Pid, Shim, Tier, UnixPlatform};

use crate::common::{
    self, Tree, fixture, lives, own_children, scenario, send, soon, state_of, until,
};
use crate::tiers;

/// Left its group, its session and its parent, and has no environment.
const UNTRACEABLE: &str = "daemon { clear-env { up d sleep } } up a sleep";

/// The cgroup that a process is in, as the kernel tells it.
fn cgroup_of(pid: Pid) -> String {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned()
}

fn leaf(platform: &UnixPlatform, tree: &Tree) -> PathBuf {
    platform.cgroup(tree.run).unwrap()
}

fn sorted(mut pids: Vec<Pid>) -> Vec<Pid> {
    pids.sort_unstable();
    pids
}

scenario!(on Cgroup, a_run_is_in_its_cgroup_from_its_first_instruction_on, async |platform| {
    let tree = Tree::grown(&platform, 7, "fork { up b sleep } up a sleep", 2).await;
    let leaf = leaf(&platform, &tree);
    assert!(leaf.ends_with("run-7"), "{leaf:?}");
    for &pid in tree.up.values() {
        assert!(leaf.ends_with(cgroup_of(pid).trim_start_matches('/')), "{}", cgroup_of(pid));
    }
    assert_ne!(cgroup_of(tree.leader), cgroup_of(std::process::id().cast_signed()));
    tree.crash(&platform).await;
    assert!(!leaf.exists(), "it goes with its tree");
    assert_eq!(platform.cgroup(tree.run), None);
    tree.rest().await;
});

async fn told_apart(platform: &UnixPlatform) {
    let bystander = Tree::grown(platform, 1, UNTRACEABLE, 2).await;
    let tree = Tree::grown(platform, 2, UNTRACEABLE, 2).await;
    for tree in [&bystander, &tree] {
        let up = sorted(tree.up.values().copied().collect());
        assert_eq!(sorted(platform.members(tree.run)), up);
    }
    assert_eq!(tree.crash(platform).await, TreeEnd { killed: 1, left: 0 });
    tree.rest().await;
    assert_eq!(platform.unattributed(), [0; 0]);
    assert!(bystander.up.values().all(|&pid| lives(pid)));
    assert_eq!(bystander.kill(platform).await, TreeEnd { killed: 2, left: 0 });
    bystander.rest().await;
}

scenario!(on Cgroup, untraceable_processes_of_two_runs_are_told_apart, async |platform| {
    told_apart(&platform).await;
});

scenario!(
    on DelegatedCgroup,
    an_ordinary_user_has_cgroups_where_one_is_handed_over_to_it,
    async |platform| {
        assert!(!rustix::process::geteuid().is_root());
        told_apart(&platform).await;
        let tree = Tree::grown(&platform, 3, "swarm 100 up a sleep", 101).await;
        tree.crash(&platform).await;
        tree.rest().await;
    }
);

scenario!(on ForeignCgroup, where_no_cgroup_can_be_made_runs_go_without, async |platform| {
    let Tier::Subreaper { no_cgroups } = platform.tier() else { panic!("{:?}", platform.tier()) };
    assert!(no_cgroups.contains("no cgroup can be made below"), "{no_cgroups}");
    let tree = Tree::grown(&platform, 1, "daemon { up d sleep } up a sleep", 2).await;
    assert_eq!(platform.cgroup(tree.run), None);
    tree.crash(&platform).await;
    tree.rest().await;
});

scenario!(on Cgroup, a_helper_is_in_the_cgroup_of_its_run, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "case $(cat /proc/self/cgroup) in *0::*/run-1) exit 0;; esac; exit 1";
    let helper = worker_platform_unix::Command {
        program: "/bin/sh".into(),
        args: ["-c", script].map(Into::into).to_vec(),
        ..common::command("")
    };
    let limit = std::time::Duration::from_secs(600);
    assert_eq!(soon(platform.run_helper(tree.run, helper, limit)).await, Ok(Exit::Code(0)));
    tree.crash(&platform).await;
    tree.rest().await;
});

// --- Processes that are where they were not born -------------------------------------------------

/// A cgroup that is nobody's, until this is dropped.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Self {
        let folder = tiers::own_cgroup().unwrap().join(format!("test-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

scenario!(on Cgroup, a_process_that_leaves_its_cgroup_does_not_escape, async |platform| {
    let elsewhere = Elsewhere::new();
    let folder = elsewhere.0.display();
    let script = format!(
        "daemon {{ enter {folder} fork {{ setsid up e sleep }} up d sleep }}
         fork {{ enter {folder} up b sleep }} up a sleep"
    );
    let tree = Tree::grown(&platform, 1, &script, 4).await;
    let up = sorted(tree.up.values().copied().collect());
    assert_eq!(sorted(platform.members(tree.run)), up);
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 3, left: 0 });
    tree.rest().await;
});

scenario!(on Cgroup, a_leader_that_leaves_its_cgroup_does_not_escape, async |platform| {
    let elsewhere = Elsewhere::new();
    let script = format!("fork {{ up b sleep }} enter {} up a sleep", elsewhere.0.display());
    let tree = Tree::grown(&platform, 1, &script, 2).await;
    platform.kill_escapees(tree.run).await;
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
});

scenario!(on Cgroup, a_process_that_enters_the_cgroup_of_a_run_ends_with_it, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let folder = leaf(&platform, &tree);
    // No child of ours, since its parent lives.
    let script = format!(
        "fork {{ setsid on TERM {{ print signalled }} enter {} up b sleep }} up h sleep",
        folder.display()
    );
    let mut host = Tree::grown(&platform, 2, &script, 2).await;
    assert_eq!(sorted(platform.members(tree.run)), sorted(vec![tree.leader, host.pid("b")]));
    platform.signal_tree(tree.run, Signal::Term).await;
    assert_eq!(host.line().await, "signalled");
    soon(platform.leader_exit(tree.run)).await;
    assert!(lives(host.pid("b")), "it keeps the tree from being gone");
    assert!(folder.exists());
    assert_eq!(tree.kill(&platform).await, TreeEnd::default(), "it is not ours to count");
    assert_eq!(state_of(host.pid("b")), Some('Z'), "its parent is alive");
    tree.rest().await;
    host.kill(&platform).await;
    host.rest().await;
});

scenario!(on Cgroup, a_tree_is_gone_when_a_process_that_is_no_child_of_ours_ends, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let folder = leaf(&platform, &tree);
    let script = format!("fork {{ setsid enter {} up b sleep }} up h sleep", folder.display());
    let host = Tree::grown(&platform, 2, &script, 2).await;
    platform.signal_tree(tree.run, Signal::Cont).await;
    platform.kill_group(tree.run).await;
    soon(platform.leader_exit(tree.run)).await;
    assert!(folder.exists());
    send(host.pid("b"), Native::KILL);
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 1, left: 0 });
    assert!(!folder.exists());
    tree.rest().await;
    host.kill(&platform).await;
    host.rest().await;
});

scenario!(on Cgroup, cgroups_that_a_tree_made_go_with_it, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let folder = leaf(&platform, &tree);
    fs::create_dir_all(folder.join("below/deeper")).unwrap();
    let script = format!("enter {}/below/deeper up b sleep", folder.display());
    let guest = Tree::grown(&platform, 2, &script, 1).await;
    assert_eq!(sorted(platform.members(tree.run)), sorted(vec![tree.leader, guest.leader]));
    tree.kill(&platform).await;
    assert!(!folder.exists());
    tree.rest().await;
    assert_eq!(guest.kill(&platform).await, TreeEnd::default(), "it was ended before");
    guest.rest().await;
});

// --- Release -------------------------------------------------------------------------------------

async fn released(platform: &UnixPlatform) -> (Tree, PathBuf) {
    let tree =
        Tree::grown(platform, 1, "daemon { wipe up d sleep } on USR1 { exit 0 } up a sleep", 2);
    let tree = tree.await;
    let folder = leaf(platform, &tree);
    send(tree.leader, Native::USR1);
    soon(platform.leader_exit(tree.run)).await;
    platform.release(tree.run).await;
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 0, left: 1 });
    (tree, folder)
}

scenario!(on Cgroup, what_is_released_keeps_its_cgroup_until_that_is_empty, async |platform| {
    let (tree, folder) = released(&platform).await;
    assert!(folder.exists() && platform.has_released());
    let next = Tree::grown(&platform, 2, UNTRACEABLE, 2).await;
    next.crash(&platform).await;
    next.rest().await;
    assert!(lives(tree.pid("d")));
    send(tree.pid("d"), Native::KILL);
    until(|| own_children().is_empty()).await;
    assert!(!platform.has_released());
    assert!(!folder.exists());
    tree.rest().await;
});

scenario!(on Cgroup, what_is_released_outlives_the_supervisor_without_a_cgroup, async |platform| {
    let (tree, folder) = released(&platform).await;
    let released = tree.pid("d");
    drop(platform);
    assert!(!folder.exists());
    assert!(lives(released));
    assert_eq!(cgroup_of(released), cgroup_of(std::process::id().cast_signed()));
    send(released, Native::KILL);
    tree.lines_end().await;
    common::reap(released);
});

// --- Supervisors that are gone -------------------------------------------------------------------

/// A supervisor with a run that is beyond reach without its cgroup.
const SUPERVISOR: &str = "supervise-in-cgroup { daemon { clear-env { up d sleep } } up n sleep }";

fn parent_of(pid: Pid) -> Pid {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

scenario!(on Cgroup, the_next_start_ends_what_a_supervisor_left_that_is_gone, async |platform| {
    let script = format!("fork {{ {SUPERVISOR} }} up a sleep");
    let gone = Tree::grown(&platform, 1, &script, 3).await;
    let alive = Tree::grown(&platform, 2, &script, 3).await;
    let supervisor = parent_of(gone.pid("n"));
    send(supervisor, Native::KILL);
    until(|| !lives(supervisor)).await;
    assert!(lives(gone.pid("d")) && lives(gone.pid("n")));

    // A start in a cgroup beside that one, as in a new login.
    let next = Tree::grown(&platform, 3, "supervise-in-cgroup { up n sleep }", 1).await;
    until(|| !lives(gone.pid("d")) && !lives(gone.pid("n"))).await;
    assert!(lives(gone.leader), "it is of a supervisor that lives");
    assert!(alive.up.values().all(|&pid| lives(pid)));
    let left = fs::read_dir(leaf(&platform, &gone)).unwrap();
    assert!(left.map(Result::unwrap).all(|entry| !entry.path().is_dir()), "it is removed");
    for tree in [gone, alive, next] {
        tree.kill(&platform).await;
        tree.rest().await;
    }
});

// --- What is missing -----------------------------------------------------------------------------

/// A platform that has this for a shim.
fn with_shim(program: impl Into<PathBuf>) -> UnixPlatform {
    UnixPlatform::with_cgroups(Shim::program(program)).unwrap()
}

async fn goes_without(platform: &UnixPlatform, run: u64) {
    let tree = Tree::grown(platform, run, "daemon { up d sleep } up a sleep", 2).await;
    assert_eq!(platform.cgroup(tree.run), None);
    tree.crash(platform).await;
    tree.rest().await;
}

scenario!(on Cgroup, without_a_shim_that_works_runs_go_without_cgroups, async |platform| {
    drop(platform);
    for (program, why) in [
        ("/no/such/shim", "cannot be started: No such file"),
        ("/bin/true", "the shim entered no leaf"),
    ] {
        let platform = with_shim(program);
        let Tier::Subreaper { no_cgroups } = platform.tier() else { panic!("{program}") };
        assert!(no_cgroups.contains(why), "{no_cgroups}");
        assert_eq!(tiers::own_folders(), [""; 0]);
        goes_without(&platform, 1).await;
    }
});

scenario!(on Cgroup, a_shim_that_goes_missing_never_makes_a_start_fail, async |platform| {
    drop(platform);
    let folder = tempfile::tempdir().unwrap();
    let shim = folder.path().join("shim");
    fs::copy(fixture(), &shim).unwrap();
    let platform = with_shim(&shim);
    let first = Tree::grown(&platform, 1, "up a sleep", 1).await;
    assert!(platform.cgroup(first.run).is_some());
    drop(folder);
    goes_without(&platform, 2).await;
    assert_eq!(fs::read_dir(own_folder(&platform)).unwrap().filter(is_folder).count(), 1);
    let missing = "/no/such/program".into();
    let missing = worker_platform_unix::Command { program: missing, ..common::command("") };
    let error = platform.spawn(RunId::new(3), missing).await.unwrap_err();
    assert!(error.message.contains("/no/such/program"), "{error}");
    first.crash(&platform).await;
    first.rest().await;
});

scenario!(on Cgroup, a_folder_that_somebody_removed_is_made_anew, async |platform| {
    fs::remove_dir(own_folder(&platform)).unwrap();
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    assert!(leaf(&platform, &tree).exists());
    tree.crash(&platform).await;
    tree.rest().await;
});

fn own_folder(platform: &UnixPlatform) -> PathBuf {
    match platform.tier() {
        Tier::Cgroup { folder } => folder,
        Tier::Subreaper { no_cgroups } | Tier::Group { no_cgroups } => panic!("{no_cgroups}"),
    }
}

fn is_folder(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().is_ok_and(|entry| Path::is_dir(&entry.path()))
}
