//! Stopping and continuing every tree, for a terminal's Ctrl-Z.

use worker_core::Signal;

use crate::common::{Tree, lives, scenario, state_of, until};

scenario!(every_process_of_every_tree_is_stopped_and_goes_on, async |platform| {
    let script = "on TERM { print still-there } fork { up b sleep } daemon { up d sleep }
        fork { setsid fork { setpgid up e sleep } up c sleep } up a sleep";
    let mut first = Tree::grown(&platform, 1, script, 5).await;
    let second = Tree::grown(&platform, 2, "daemon { up d sleep } up a sleep", 2).await;
    let everyone: Vec<_> = first.up.values().chain(second.up.values()).copied().collect();

    platform.suspend();
    for &pid in &everyone {
        until(|| state_of(pid) == Some('T')).await;
    }
    platform.resume();
    for &pid in &everyone {
        until(|| lives(pid)).await;
    }
    platform.forward(first.run, Signal::Term);
    assert_eq!(first.line().await, "still-there");

    first.kill(&platform).await;
    second.kill(&platform).await;
    first.rest().await;
    second.rest().await;
});
