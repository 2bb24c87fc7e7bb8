//! As PID 1 of a container everybody's orphans fall to us.

use worker_core::TreeEnd;

use crate::common::{Tree, isolated_as_pid_1, lives, own_children, soon, until};

#[test]
fn the_tree_of_a_run_is_emptied_and_the_orphans_of_others_are_left() {
    let path = concat!(
        module_path!(),
        "::the_tree_of_a_run_is_emptied_and_the_orphans_of_others_are_left"
    );
    isolated_as_pid_1(path, async |platform| {
        // One wiped its environment: it could be anybody's, though there is one run only.
        let script = "daemon { up d sleep } daemon { wipe up w sleep } up a sleep";
        let tree = Tree::grown(&platform, 1, script, 3).await;
        assert_eq!(tree.crash(&platform).await, TreeEnd { killed: 1, left: 0 });
        assert!(lives(tree.pid("w")));
        assert_eq!(platform.unattributed(), [tree.pid("w")]);
        soon(platform.end_unattributed()).await;
        tree.rest().await;
    });
}

#[test]
fn the_dead_of_others_are_reaped() {
    isolated_as_pid_1(
        concat!(module_path!(), "::the_dead_of_others_are_reaped"),
        async |platform| {
            let script =
                "daemon { clear-env { exit 3 } } daemon { clear-env { up w sleep } } up a sleep";
            let tree = Tree::grown(&platform, 1, script, 2).await;
            let only_these_are_left = || {
                let children = own_children();
                children.len() == 2
                    && [tree.leader, tree.pid("w")].iter().all(|pid| children.contains(pid))
            };
            until(only_these_are_left).await;
            tree.crash(&platform).await;
            soon(platform.end_unattributed()).await;
            tree.rest().await;
        },
    );
}
