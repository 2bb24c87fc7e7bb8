//! Calls that come twice, late, or in an order of their own.

use rustix::process::Signal as Native;
use worker_core::{Exit, Kill, RunId, Signal, Spawn, SpawnFailure, TreeEnd};
use worker_platform_unix::UnixPlatform;

use crate::common::{self, Tree, lives, scenario, send, soon, state_of, until};

scenario!(a_dead_leader_keeps_its_number_until_its_tree_is_ended, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a exit 3", 1).await;
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(3));
    assert_eq!(state_of(tree.leader), Some('Z'));
    platform.kill_group(tree.run).await;
    assert_eq!(state_of(tree.leader), None);
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd::default());
    tree.rest().await;
});

scenario!(an_exit_is_told_at_once_though_a_child_holds_the_output, async |platform| {
    let tree = Tree::grown(&platform, 1, "fork { up b sleep } up a exit 3", 2).await;
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(3));
    assert!(lives(tree.pid("b")));
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(an_end_is_told_to_whoever_asks_late, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a exit 3", 1).await;
    until(|| state_of(tree.leader) == Some('Z')).await;
    platform.kill_group(tree.run).await;
    platform.kill_escapees(tree.run).await;
    assert_eq!(state_of(tree.leader), None);
    assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd::default());
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(3));
    assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Unknown, "it was told");
    tree.rest().await;
});

scenario!(several_may_wait_for_the_same_end, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let waiting = async {
        tokio::join!(
            platform.leader_exit(tree.run),
            platform.leader_exit(tree.run),
            platform.tree_gone(tree.run),
            platform.tree_gone(tree.run)
        )
    };
    let killing = async {
        platform.kill_group(tree.run).await;
        platform.kill_escapees(tree.run).await;
    };
    let (ends, ()) = soon(async { tokio::join!(waiting, killing) }).await;
    let (exit, end) = (Exit::Signal(Signal::Kill), TreeEnd { killed: 1, left: 0 });
    assert_eq!(ends, (exit, exit, end, end));
    tree.rest().await;
});

scenario!(calls_about_a_run_that_never_was_do_nothing, async |platform| {
    let bystander = Tree::grown(&platform, 1, "on TERM { print signalled } up a sleep", 1).await;
    let run = RunId::new(2);
    platform.signal_tree(run, Signal::Term).await;
    platform.forward(run, Signal::Term);
    platform.kill_group(run).await;
    platform.kill_escapees(run).await;
    platform.release(run).await;
    assert_eq!(soon(platform.leader_exit(run)).await, Exit::Unknown);
    assert_eq!(soon(platform.tree_gone(run)).await, TreeEnd::default());
    assert_eq!(platform.members(run), []);
    assert_eq!(platform.memory(run), None);
    bystander.kill(&platform).await;
    assert_eq!(bystander.rest().await, [""; 0]);
});

scenario!(
    a_leader_whose_group_was_killed_is_reaped_and_its_number_signalled_no_more,
    async |platform| {
        let tree = Tree::grown(&platform, 1, "fork { setsid up c sleep } up a sleep", 2).await;
        platform.kill_group(tree.run).await;
        soon(platform.leader_exit(tree.run)).await;
        until(|| state_of(tree.leader).is_none()).await;
        // The escapee keeps the run from being over. By now anybody may have the number.
        platform.kill_group(tree.run).await;
        platform.forward(tree.run, Signal::Kill);
        assert_eq!(platform.members(tree.run), [tree.pid("c")]);
        platform.kill_escapees(tree.run).await;
        assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 2, left: 0 });
        tree.rest().await;
    }
);

scenario!(a_run_can_be_spawned_again_when_its_tree_is_gone_and_not_before, async |platform| {
    let first = Tree::grown(&platform, 1, "up a exit 0", 1).await;
    assert_eq!(soon(platform.leader_exit(first.run)).await, Exit::Code(0));
    let again = platform.spawn(first.run, common::command("up a")).await.unwrap_err();
    assert_eq!(again.failure, SpawnFailure::Other);
    platform.kill_group(first.run).await;
    soon(platform.tree_gone(first.run)).await;
    first.rest().await;

    let second = Tree::grown(&platform, 1, "up a exit 5", 1).await;
    assert_eq!(soon(platform.leader_exit(second.run)).await, Exit::Code(5));
    second.kill(&platform).await;
    second.rest().await;
});

scenario!(a_process_has_one_platform, async |platform| {
    let error = UnixPlatform::new().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    let clone = platform.clone();
    drop(platform);
    assert!(UnixPlatform::new().is_err());
    drop(clone);
    assert!(UnixPlatform::new().is_ok());
});

scenario!(an_orphan_of_nobody_is_reaped, async |platform| {
    let tree = Tree::grown(&platform, 1, "daemon { up d sleep } up a sleep", 2).await;
    send(tree.pid("d"), Native::TERM);
    until(|| state_of(tree.pid("d")).is_none()).await;
    assert_eq!(platform.members(tree.run), [tree.leader]);
    tree.kill(&platform).await;
    tree.rest().await;
});
