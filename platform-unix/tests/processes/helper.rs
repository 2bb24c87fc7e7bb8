//! Helpers: processes of the run's tree that somebody waits for.

use std::time::Duration;

use worker_core::{Exit, Kill, RunId, Signal, Spawn, SpawnFailure};
use worker_platform_unix::output_pipe;

use crate::common::{self, Lines, Tree, lives, own_children, piped, scenario, soon, until};

const LONG: Duration = Duration::from_secs(600);

scenario!(a_helper_answers_with_its_exit_and_is_reaped, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let exit = soon(platform.run_helper(tree.run, common::command("exit 4"), LONG)).await;
    assert_eq!(exit, Ok(Exit::Code(4)));
    assert_eq!(own_children(), [tree.leader]);
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(a_helper_is_killed_with_its_group_at_the_limit, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let (reader, writer) = output_pipe().unwrap();
    let helper = piped("ignore TERM fork { sleep } sleep", writer);
    let limit = Duration::from_millis(20);
    let exit = soon(platform.run_helper(tree.run, helper, limit)).await;
    assert_eq!(exit, Ok(Exit::Signal(Signal::Kill)));
    assert_eq!(soon(Lines::new(reader).next()).await, None);
    assert!(lives(tree.leader));
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(what_a_helper_leaves_in_its_group_ends_with_it, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let (reader, writer) = output_pipe().unwrap();
    let helper = piped("fork { sleep } exit 0", writer);
    assert_eq!(soon(platform.run_helper(tree.run, helper, LONG)).await, Ok(Exit::Code(0)));
    assert_eq!(soon(Lines::new(reader).next()).await, None);
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(a_helper_that_is_given_up_is_killed, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let (reader, writer) = output_pipe().unwrap();
    let mut lines = Lines::new(reader);
    tokio::select! {
        _ = platform.run_helper(tree.run, piped("up h sleep", writer), LONG) => unreachable!(),
        line = lines.next() => assert!(line.unwrap().starts_with("up h")),
    }
    assert_eq!(soon(lines.next()).await, None);
    until(|| own_children() == [tree.leader]).await;
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(a_helper_is_of_the_tree_and_ends_with_it, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let (reader, writer) = output_pipe().unwrap();
    let mut lines = Lines::new(reader);
    let helper = platform.run_helper(tree.run, piped("up h sleep", writer), LONG);
    let kill = async {
        let line = lines.next().await.unwrap();
        let pid = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(platform.members(tree.run).contains(&pid));
        tree.kill(&platform).await
    };
    let (exit, end) = soon(async { tokio::join!(helper, kill) }).await;
    assert_eq!(exit, Ok(Exit::Signal(Signal::Kill)));
    assert_eq!(end.killed, 2);
    tree.rest().await;
});

scenario!(a_run_that_is_being_ended_gets_no_helper, async |platform| {
    let tree = Tree::grown(&platform, 1, "ignore TERM up a sleep", 1).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    for run in [tree.run, RunId::new(9)] {
        let refused = platform.run_helper(run, common::command("exit 0"), LONG).await;
        assert_eq!(refused.unwrap_err().failure, SpawnFailure::Other);
    }
    assert_eq!(own_children(), [tree.leader]);
    tree.kill(&platform).await;
    tree.rest().await;
});

scenario!(a_helper_that_cannot_be_spawned_is_an_error, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let program = "/no/such/probe".into();
    let helper = worker_platform_unix::Command { program, ..common::command("") };
    let error = platform.run_helper(tree.run, helper, LONG).await.unwrap_err();
    assert_eq!(error.failure, SpawnFailure::NotFound);
    platform.leader_exit(RunId::new(9)).await;
    tree.kill(&platform).await;
    tree.rest().await;
});
