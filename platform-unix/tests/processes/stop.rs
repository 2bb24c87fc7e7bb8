//! Signals to a whole tree, and the grace that follows.

use rustix::process::Signal as Native;
use worker_core::{Exit, Kill, Signal, Spawn, TreeEnd};

use crate::common::{Tree, own_children, scenario, send, soon, state_of, until};

scenario!(a_stop_signals_the_whole_tree_once, async |platform| {
    let script = "on TERM { print leader }
        fork { on TERM { print child } up b sleep }
        fork { setpgid on TERM { print own-group } up c sleep }
        fork { setsid on TERM { print own-session }
            fork { setpgid on TERM { print below-own-session } up e sleep } up d sleep }
        daemon { on TERM { print daemon } up f sleep }
        up a sleep";
    let mut tree = Tree::grown(&platform, 1, script, 6).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(tree.line().await);
    }
    said.sort();
    let expected = ["below-own-session", "child", "daemon", "leader", "own-group", "own-session"];
    assert_eq!(said, expected);
    tree.kill(&platform).await;
    assert_eq!(tree.rest().await, [""; 0], "none was signalled twice");
});

scenario!(a_tree_that_needs_its_grace_has_it, async |platform| {
    let script = "fork { setsid on TERM { pause 200 print child exit 0 } up b sleep }
        on TERM { pause 100 print leader exit 7 } up a sleep";
    let tree = Tree::grown(&platform, 1, script, 2).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(7));
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 0, left: 0 });
    let mut said = tree.rest().await;
    said.sort();
    assert_eq!(said, ["child", "leader"]);
});

scenario!(a_stopped_tree_has_its_grace_too, async |platform| {
    let script = "on TERM { print leader exit 0 }
        daemon { on TERM { print daemon exit 0 } up d stop sleep }
        fork { setsid on TERM { print child exit 0 } up b stop sleep }
        up a stop sleep";
    let tree = Tree::grown(&platform, 1, script, 3).await;
    for name in ["a", "b", "d"] {
        until(|| state_of(tree.pid(name)) == Some('T')).await;
    }
    platform.signal_tree(tree.run, Signal::Term).await;
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(0));
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd::default());
    let mut said = tree.rest().await;
    said.sort();
    assert_eq!(said, ["child", "daemon", "leader"]);
});

scenario!(
    what_outlives_its_leader_is_killed_with_its_group_when_the_grace_is_over,
    async |platform| {
        let script =
            "fork { ignore TERM up b sleep } fork { setsid ignore TERM up c sleep } up a sleep";
        let tree = Tree::grown(&platform, 1, script, 3).await;
        platform.signal_tree(tree.run, Signal::Term).await;
        assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Signal(Signal::Term));
        assert_eq!(state_of(tree.leader), Some('Z'), "it keeps its number");
        let mut members = platform.members(tree.run);
        members.sort_unstable();
        assert_eq!(members, [tree.pid("b"), tree.pid("c")]);

        platform.kill_group(tree.run).await;
        until(|| state_of(tree.pid("b")).is_none()).await;
        assert_eq!(platform.members(tree.run), [tree.pid("c")], "it left the group");
        platform.kill_escapees(tree.run).await;
        assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 2, left: 0 });
        tree.rest().await;
    }
);

scenario!(a_leader_that_sigkill_ends_counts_as_killed, async |platform| {
    let tree = Tree::grown(&platform, 1, "ignore TERM fork { up b sleep } up a sleep", 2).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    assert_eq!(tree.kill(&platform).await, TreeEnd { killed: 2, left: 0 });
    tree.rest().await;
});

scenario!(a_leader_that_died_by_itself_does_not_count_as_killed, async |platform| {
    let tree = Tree::grown(&platform, 1, "fork { up b sleep } up a sleep", 2).await;
    assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 1, left: 0 });
    tree.rest().await;
});

scenario!(an_orderly_end_of_the_whole_tree_needs_no_kill, async |platform| {
    let tree = Tree::grown(&platform, 1, "daemon { up d sleep } up a sleep", 2).await;
    platform.signal_tree(tree.run, Signal::Int).await;
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Signal(Signal::Int));
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd::default());
    assert_eq!(own_children(), []);
    tree.rest().await;
});

scenario!(a_forwarded_signal_reaches_the_group_alone, async |platform| {
    let script = "on USR1 { print leader } fork { on USR1 { print child } up b sleep }
        fork { setsid on USR1 { print escaped } up c sleep } up a sleep";
    let mut tree = Tree::grown(&platform, 1, script, 3).await;
    platform.forward(tree.run, Signal::Usr1);
    let mut said = [tree.line().await, tree.line().await];
    said.sort();
    assert_eq!(said, ["child", "leader"]);
    send(tree.pid("c"), Native::USR1);
    assert_eq!(tree.line().await, "escaped", "it would have said so");
    tree.kill(&platform).await;
    assert_eq!(tree.rest().await, [""; 0]);
});

scenario!(two_signals_that_are_asked_for_at_once_each_reach_the_whole_tree, async |platform| {
    let script = "daemon { on USR1 { print one } on USR2 { print two } up d sleep }
        on USR1 { print one } on USR2 { print two } up a sleep";
    let mut tree = Tree::grown(&platform, 1, script, 2).await;
    tokio::join!(
        platform.signal_tree(tree.run, Signal::Usr1),
        platform.signal_tree(tree.run, Signal::Usr2)
    );
    let mut said = Vec::new();
    for _ in 0..4 {
        said.push(tree.line().await);
    }
    said.sort();
    assert_eq!(said, ["one", "one", "two", "two"]);
    tree.kill(&platform).await;
    assert_eq!(tree.rest().await, [""; 0], "none had a signal twice");
});
