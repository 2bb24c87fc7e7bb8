//! Several runs at once: none touches another one's processes.

use rustix::process::Signal as Native;
use worker_core::{Kill, RunId, Signal, TreeEnd};
use worker_platform_unix::{MARKER, Pid, UnixPlatform};

use crate::common::{Tree, lives, own_children, scenario, send, soon, state_of, until};

const AWKWARD: &str = "on TERM { print signalled } fork { on TERM { print signalled } up b sleep }
    daemon { on TERM { print signalled } fork { setsid up e sleep } up d sleep } up a sleep";

fn all_live(tree: &Tree) -> bool {
    tree.up.values().all(|&pid| lives(pid))
}

async fn ended(platform: &UnixPlatform, tree: Tree) -> Vec<String> {
    tree.kill(platform).await;
    tree.rest().await
}

scenario!(a_crash_touches_nothing_of_another_run, async |platform| {
    let bystander = Tree::grown(&platform, 1, AWKWARD, 4).await;
    let tree = Tree::grown(&platform, 2, AWKWARD, 4).await;
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 3, left: 0 });
    tree.rest().await;
    assert!(all_live(&bystander));
    assert_eq!(platform.members(bystander.run).len(), 4);
    assert_eq!(ended(&platform, bystander).await, [""; 0]);
});

scenario!(a_stop_signals_nothing_of_another_run, async |platform| {
    let bystander = Tree::grown(&platform, 1, AWKWARD, 4).await;
    let tree = Tree::grown(&platform, 2, AWKWARD, 4).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    ended(&platform, tree).await;
    assert!(all_live(&bystander));
    assert_eq!(ended(&platform, bystander).await, [""; 0]);
});

scenario!(an_escaped_daemon_is_known_by_its_marker, async |platform| {
    let trees = [
        Tree::grown(&platform, 1, "daemon { up d sleep } up a sleep", 2).await,
        Tree::grown(&platform, 2, "daemon { up d sleep } up a sleep", 2).await,
    ];
    for tree in trees {
        let mut members = platform.members(tree.run);
        members.sort_unstable();
        let mut expected = vec![tree.pid("a"), tree.pid("d")];
        expected.sort_unstable();
        assert_eq!(members, expected);
        tree.crash(&platform).await;
        tree.rest().await;
    }
});

scenario!(on Subreaper, what_cannot_be_attributed_is_kept_until_it_is_ended, async |platform| {
    let bystander = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "daemon { wipe on TERM { print signalled } fork { setsid up e sleep } up d sleep }
        up a sleep";
    let tree = Tree::grown(&platform, 2, script, 3).await;
    tree.crash(&platform).await;
    assert_eq!(platform.unattributed(), [tree.pid("d")]);
    assert!(lives(tree.pid("d")));
    ended(&platform, bystander).await;
    assert_eq!(platform.unattributed(), [tree.pid("d")], "to be the last run makes it nobody's");

    soon(platform.end_unattributed()).await;
    assert_eq!(own_children(), []);
    assert_eq!(tree.rest().await, [""; 0]);
    soon(platform.end_unattributed()).await;
});

scenario!(a_wiped_process_is_known_by_its_parent_while_that_is_seen, async |platform| {
    let bystander = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "fork { fork { setsid wipe up c sleep } up b sleep } up a sleep";
    let tree = Tree::grown(&platform, 2, script, 3).await;
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
    assert!(all_live(&bystander));
    ended(&platform, bystander).await;
});

scenario!(a_wiped_process_is_known_by_the_session_of_its_dead_parent, async |platform| {
    let bystander = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "daemon { fork { setpgid wipe up e sleep } up d sleep } up a sleep";
    let tree = Tree::grown(&platform, 2, script, 3).await;
    assert_eq!(platform.members(tree.run).len(), 3);
    send(tree.pid("d"), Native::KILL);
    until(|| state_of(tree.pid("d")).is_none()).await;
    assert_eq!(platform.unattributed(), []);
    tree.crash(&platform).await;
    tree.rest().await;
    ended(&platform, bystander).await;
});

scenario!(a_process_with_the_marker_of_another_slot_is_known_by_its_parent, async |platform| {
    let bystander = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let environment = std::fs::read(format!("/proc/{}/environ", bystander.leader)).unwrap();
    let variables = environment.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    let marker = variables.into_iter().find(|variable| variable.starts_with(MARKER)).unwrap();
    let script = format!(
        "fork {{ with-env {marker} {{ fork {{ setsid up c sleep }} up b sleep }} }} up a sleep"
    );
    let tree = Tree::grown(&platform, 2, &script, 3).await;
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
    assert_eq!(platform.members(bystander.run), [bystander.leader]);
    ended(&platform, bystander).await;
});

scenario!(runs_that_end_at_once_end_each, async |platform| {
    let mut trees = Vec::new();
    for run in 1..=8 {
        trees.push(Tree::grown(&platform, run, AWKWARD, 4).await);
    }
    for tree in &trees {
        platform.kill_group(tree.run).await;
        platform.kill_escapees(tree.run).await;
    }
    for tree in trees {
        assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 4, left: 0 });
        tree.rest().await;
    }
    assert_eq!(soon(platform.tree_gone(RunId::new(99))).await, TreeEnd::default());
});

scenario!(the_processes_of_a_nested_supervisor_that_died_are_of_our_run, async |platform| {
    let bystander = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "fork { setsid supervise { daemon { up d sleep } up n sleep } } up a sleep";
    let tree = Tree::grown(&platform, 2, script, 3).await;
    // All that the inner supervisor kept hold of falls to us with its death.
    let inner = parent_of(tree.pid("n"));
    send(inner, Native::KILL);
    until(|| !lives(inner)).await;
    let mut members = platform.members(tree.run);
    members.sort_unstable();
    let mut expected = vec![tree.pid("a"), tree.pid("d"), tree.pid("n")];
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
    ended(&platform, bystander).await;
});

fn parent_of(pid: Pid) -> Pid {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind_name = stat.rsplit(") ").next().unwrap();
    behind_name.split(' ').nth(1).unwrap().parse().unwrap()
}
