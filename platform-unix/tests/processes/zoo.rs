//! Awkward trees, and the two ways in which they are emptied.

use worker_core::{Kill, Signal, Spawn};
use worker_platform_unix::UnixPlatform;

use crate::common::{self, Tree, scenario};

/// A tree, and how many of its processes say that they are up.
struct Specimen {
    script: &'static str,
    up: usize,
}

async fn ends_after_a_crash(platform: UnixPlatform, specimen: &Specimen) {
    let tree = Tree::grown(&platform, 1, specimen.script, specimen.up).await;
    let end = tree.crash(&platform).await;
    assert!(end.killed as usize >= specimen.up - 1, "all but the leader: {end:?}");
    assert_eq!(end.left, 0);
    tree.rest().await;
}

async fn ends_after_a_stop(platform: UnixPlatform, specimen: &Specimen) {
    let tree = Tree::grown(&platform, 1, specimen.script, specimen.up).await;
    platform.signal_tree(tree.run, Signal::Term).await;
    common::soon(platform.leader_exit(tree.run)).await;
    tree.kill(&platform).await;
    tree.rest().await;
}

macro_rules! zoo {
    ($($name:ident: $up:literal, $script:literal;)*) => {
        $(mod $name {
            use super::*;

            const SPECIMEN: Specimen = Specimen { script: $script, up: $up };

            scenario!(ends_after_a_crash, async |platform| {
                crate::zoo::ends_after_a_crash(platform, &SPECIMEN).await;
            });

            scenario!(ends_after_a_stop, async |platform| {
                crate::zoo::ends_after_a_stop(platform, &SPECIMEN).await;
            });
        })*
    };
}

zoo! {
    a_lonely_leader: 1, "up a sleep";
    three_deep: 3, "fork { fork { up c sleep } up b sleep } up a sleep";
    children_that_ignore_signals: 3,
        "fork { ignore TERM ignore INT ignore HUP fork { up c sleep } up b sleep } up a sleep";
    a_setsid_grandchild: 3, "fork { fork { setsid up c sleep } up b sleep } up a sleep";
    a_setsid_grandchild_that_ignores_signals: 3,
        "fork { fork { setsid ignore TERM up c sleep } up b sleep } up a sleep";
    a_daemon: 2, "daemon { up d sleep } up a sleep";
    a_daemon_of_a_daemon: 3, "daemon { daemon { up e sleep } up d sleep } up a sleep";
    a_setpgid_child: 2, "fork { setpgid up b sleep } up a sleep";
    a_stopped_child: 2, "fork { up b stop sleep } up a sleep";
    a_stopped_daemon: 2, "daemon { up d stop sleep } up a sleep";
    a_pair_that_forks_each_other: 2, "fork { respawn-pair } up a sleep";
    a_pair_that_forks_each_other_in_own_sessions: 2, "fork { respawn-pair-setsid } up a sleep";
    a_child_that_forks_while_it_is_killed: 2, "fork { up b fork-many 200 sleep } up a sleep";
    a_daemon_that_forks_while_it_is_killed: 2, "daemon { up d fork-many 200 sleep } up a sleep";
    a_daemon_with_a_cleared_environment: 2, "daemon { clear-env { up d sleep } } up a sleep";
    a_daemon_with_a_wiped_environment: 2, "daemon { wipe up d sleep } up a sleep";
    a_daemon_with_a_marker_of_another_supervisor: 2,
        "daemon { with-env WORKER_MARKER=boot:1:2:3 { up d sleep } } up a sleep";
    five_hundred_half_of_them_escaped: 501, "swarm 500 up a sleep";
}

scenario!(a_port_is_free_for_the_next_run, async |platform| {
    let script = "daemon { listen 0 up d sleep } up a sleep";
    let mut tree = Tree::grown(&platform, 1, script, 2).await;
    let line = tree.line().await;
    let port = line.strip_prefix("listening ").unwrap();
    tree.crash(&platform).await;

    let next = Tree::grown(&platform, 2, &format!("listen {port} up a sleep"), 1).await;
    next.crash(&platform).await;
    next.rest().await;
    tree.rest().await;
});
