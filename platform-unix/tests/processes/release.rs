//! A clean exit: what the leader left running on purpose stays.

use rustix::process::Signal as Native;
use worker_core::{Exit, Kill, Signal, Spawn, TreeEnd};
use worker_platform_unix::UnixPlatform;

use crate::common::{Tree, lives, own_children, scenario, send, soon, state_of, until};

/// Two that live on: one in the leader's group, one daemon with a child of its own.
const LEAVES_SOMETHING: &str = "fork { on TERM { print signalled } up b sleep }
    daemon { fork { on TERM { print signalled } up e sleep } on TERM { print signalled } up d sleep }
    on USR1 { exit 0 } up a sleep";

async fn released(platform: &UnixPlatform, script: &str, count: usize) -> Tree {
    let tree = Tree::grown(platform, 1, script, count).await;
    send(tree.leader, Native::USR1);
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(0));
    platform.release(tree.run).await;
    let left = u32::try_from(count).unwrap() - 1;
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 0, left });
    tree
}

/// The test ends what the platform must not.
async fn end(tree: Tree) -> Vec<String> {
    for name in tree.up.keys().filter(|&name| name != "a") {
        send(tree.pid(name), Native::KILL);
    }
    let rest = tree.rest().await;
    until(|| own_children().is_empty()).await; // Still reaped, though nobody's.
    rest
}

scenario!(what_a_clean_exit_leaves_lives_on_untouched, async |platform| {
    let tree = released(&platform, LEAVES_SOMETHING, 4).await;
    assert_eq!(state_of(tree.leader), None, "the leader is reaped");
    for late in [Signal::Term, Signal::Kill] {
        platform.signal_tree(tree.run, late).await;
        platform.forward(tree.run, late);
    }
    platform.kill_group(tree.run).await;
    platform.kill_escapees(tree.run).await;
    soon(platform.end_unattributed()).await;
    assert_eq!(platform.members(tree.run), []);
    for name in ["b", "d", "e"] {
        assert!(lives(tree.pid(name)), "{name}");
    }
    assert_eq!(end(tree).await, [""; 0]);
});

scenario!(the_end_of_the_next_run_touches_nothing_that_was_released, async |platform| {
    let script = "fork { up b sleep }
        daemon { daemon { wipe up f sleep } fork { setsid fork { up g sleep } up e sleep } up d sleep }
        on USR1 { exit 0 } up a sleep";
    let left = released(&platform, script, 6).await;
    let next = Tree::grown(&platform, 2, "daemon { up d sleep } up a sleep", 2).await;
    // A released process that falls to us only now, while the other run is the only live one.
    send(left.pid("e"), Native::KILL);
    until(|| own_children().contains(&left.pid("g"))).await;

    let mut members = platform.members(next.run);
    members.sort_unstable();
    let mut expected: Vec<_> = next.up.values().copied().collect();
    expected.sort_unstable();
    assert_eq!(members, expected);
    next.crash(&platform).await;
    next.rest().await;
    for name in ["b", "d", "f", "g"] {
        assert!(lives(left.pid(name)), "{name}");
    }
    let alive = ["b", "d", "f", "g"].map(|name| left.pid(name));
    alive.into_iter().for_each(|pid| send(pid, Native::KILL));
    left.rest().await;
    until(|| own_children().is_empty()).await;
});

// A cgroup knows whose it is.
scenario!(on Subreaper, what_a_released_process_forks_later_is_not_of_the_only_live_run, async |platform| {
    let script = "daemon { on USR2 { fork { setsid wipe print late sleep } } up d sleep }
        on USR1 { exit 0 } up a sleep";
    let mut left = released(&platform, script, 2).await;
    let next = Tree::grown(&platform, 2, "up a sleep", 1).await;
    send(left.pid("d"), Native::USR2);
    assert_eq!(left.line().await, "late");
    send(left.pid("d"), Native::KILL);
    until(|| own_children().len() == 2 && !own_children().contains(&left.pid("d"))).await;

    assert_eq!(platform.members(next.run), [next.leader]);
    next.crash(&platform).await;
    next.rest().await;
    assert_eq!(platform.unattributed().len(), 1, "it may be anybody's");
    soon(platform.end_unattributed()).await;
    left.rest().await;
});

scenario!(nothing_is_left_of_a_clean_exit_that_left_nothing, async |platform| {
    let tree = released(&platform, "on USR1 { exit 0 } up a sleep", 1).await;
    assert_eq!(own_children(), []);
    tree.rest().await;
});

scenario!(a_release_waits_for_a_leader_that_lives, async |platform| {
    let tree = Tree::grown(&platform, 1, "fork { up b sleep } up a sleep", 2).await;
    platform.release(tree.run).await;
    assert_eq!(platform.members(tree.run).len(), 2);
    send(tree.leader, Native::KILL);
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 0, left: 1 });
    end(tree).await;
});

scenario!(a_leader_that_lives_can_still_be_killed_after_a_release, async |platform| {
    let tree = Tree::grown(&platform, 1, "fork { up b sleep } up a sleep", 2).await;
    platform.release(tree.run).await;
    assert_eq!(tree.kill(&platform).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
});
