//! Nothing grows with the number of past runs.

use rustix::process::Signal as Native;
use worker_core::{Exit, Kill, RunId, Signal, Spawn, TreeEnd};
use worker_platform_unix::UnixPlatform;

use crate::common::{self, Tree, own_children, scenario, send, soon, until};

const CYCLES: u64 = 300;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn knows_nothing(platform: &UnixPlatform) -> bool {
    let state = format!("{platform:?}");
    state.contains("runs: {}, answers: {}, children: {}") && state.contains("released: {}")
}

async fn crash_once(platform: &UnixPlatform, run: u64) {
    let tree =
        Tree::grown(platform, run, "daemon { up d sleep } fork { up b sleep } up a sleep", 3);
    let tree = tree.await;
    tree.crash(platform).await;
    tree.rest().await;
    assert_eq!(own_children(), [], "after run {run}");
}

scenario!(a_crash_loop_leaves_no_descriptor_thread_or_zombie, async |platform| {
    crash_once(&platform, 1).await;
    let before = (descriptors(), threads());
    for run in 2..=CYCLES {
        crash_once(&platform, run).await;
    }
    assert_eq!((descriptors(), threads()), before);
    assert!(knows_nothing(&platform), "{platform:?}");
});

scenario!(what_is_known_of_released_processes_ends_with_them, async |platform| {
    for run in 1..=20 {
        let script =
            "daemon { fork { setsid up e sleep } up d sleep } on USR1 { exit 0 } up a sleep";
        let tree = Tree::grown(&platform, run, script, 3).await;
        send(tree.leader, Native::USR1);
        assert_eq!(soon(platform.leader_exit(tree.run)).await, Exit::Code(0));
        platform.release(tree.run).await;
        assert_eq!(soon(platform.tree_gone(tree.run)).await, TreeEnd { killed: 0, left: 2 });
        assert!(!knows_nothing(&platform), "they are ours to reap");
        send(tree.pid("d"), Native::KILL);
        send(tree.pid("e"), Native::KILL);
        tree.rest().await;
    }
    until(|| knows_nothing(&platform)).await;
});

scenario!(failed_spawns_leave_nothing, async |platform| {
    let missing = || {
        let program = "/no/such/program".into();
        worker_platform_unix::Command { program, ..common::command("") }
    };
    platform.spawn(RunId::new(1), missing()).await.unwrap_err();
    let before = descriptors();
    for run in 2..=CYCLES {
        platform.spawn(RunId::new(run), missing()).await.unwrap_err();
    }
    assert_eq!(descriptors(), before);
    assert!(knows_nothing(&platform), "{platform:?}");
});

scenario!(a_leader_that_ends_before_anybody_looks_is_told_and_reaped, async |platform| {
    for run in (1..=CYCLES).map(RunId::new) {
        platform.spawn(run, common::command("die KILL")).await.unwrap();
        assert_eq!(soon(platform.leader_exit(run)).await, Exit::Signal(Signal::Kill));
        platform.kill_group(run).await;
        platform.kill_escapees(run).await;
        assert_eq!(soon(platform.tree_gone(run)).await.killed, 0, "it died by itself");
    }
    assert_eq!(own_children(), []);
});
