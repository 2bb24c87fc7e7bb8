//! What can be seen of a tree: its processes, its memory, its sockets.

use std::net::{TcpListener, TcpStream};

use worker_core::Owner;
use worker_platform_unix::UnixPlatform;

use crate::common::{Tree, scenario, until};

const MEGABYTE: u64 = 1024 * 1024;

/// A tree that listens, with the port.
async fn listening(platform: &UnixPlatform, run: u64, script: &str) -> (Tree, u16) {
    let mut tree = Tree::grown(platform, run, script, 2).await;
    let line = tree.line().await;
    let port = line.strip_prefix("listening ").unwrap().parse().unwrap();
    (tree, port)
}

async fn end(platform: &UnixPlatform, tree: Tree) {
    tree.kill(platform).await;
    tree.rest().await;
}

scenario!(the_members_are_the_living_processes_of_the_tree, async |platform| {
    let script = "fork { exit 0 } fork { fork { setsid up c sleep } up b sleep }
        daemon { up d sleep } up a sleep";
    let tree = Tree::grown(&platform, 1, script, 4).await;
    let mut expected: Vec<_> = tree.up.values().copied().collect();
    expected.sort_unstable();
    // And not the zombie that the leader leaves unreaped, once it is one.
    until(|| {
        let mut members = platform.members(tree.run);
        members.sort_unstable();
        members == expected
    })
    .await;
    end(&platform, tree).await;
});

scenario!(memory_is_that_of_the_whole_tree, async |platform| {
    let slim = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let script = "balloon 20 fork { setsid balloon 30 up b sleep } up a sleep";
    let fat = Tree::grown(&platform, 2, script, 2).await;
    let slim_bytes = platform.memory(slim.run).unwrap();
    assert!((1..10 * MEGABYTE).contains(&slim_bytes), "{slim_bytes}");
    // The child inherits the first balloon, and pages that are shared count for each.
    let fat_bytes = platform.memory(fat.run).unwrap();
    assert!((70 * MEGABYTE..90 * MEGABYTE).contains(&fat_bytes), "{fat_bytes}");
    end(&platform, slim).await;
    end(&platform, fat).await;
});

scenario!(a_listener_belongs_to_the_run_of_its_process, async |platform| {
    let script = "daemon { up d listen 0 sleep } up a sleep";
    let (tree, port) = listening(&platform, 1, script).await;
    let (other, other_port) = listening(&platform, 2, script).await;
    assert_eq!(platform.listener_owner(tree.run, port), Some(Owner::Own));
    assert_eq!(platform.listener_owner(other.run, other_port), Some(Owner::Own));
    assert_eq!(platform.listener_owner(tree.run, other_port), Some(Owner::Stranger));
    end(&platform, tree).await;
    // Somebody else on this machine may be given the port.
    until(|| platform.listener_owner(other.run, port).is_none()).await;
    end(&platform, other).await;
});

scenario!(a_listener_of_ours_is_a_stranger_to_a_run, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(platform.listener_owner(tree.run, port), Some(Owner::Stranger));
    drop(listener);
    until(|| platform.listener_owner(tree.run, port).is_none()).await;
    end(&platform, tree).await;
});

scenario!(a_port_is_used_while_there_is_a_connection_to_it, async |platform| {
    let script = "daemon { up d listen 0 sleep } up a sleep";
    let (tree, port) = listening(&platform, 1, script).await;
    assert!(!platform.has_connection(port..=port), "to listen is no connection");
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert!(platform.has_connection(port..=port));
    assert!(platform.has_connection(port.saturating_sub(3)..=port.saturating_add(3)));
    drop(client);
    end(&platform, tree).await;
    until(|| !platform.has_connection(port..=port)).await;
});
