//! Leaders are spawned, seen to end, and ended; their children are left alone.
#![cfg(windows)]

mod common;

use std::future;

use tokio::select;
use windows_sys::Win32::System::Console::GetConsoleCP;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};
use worker_core::{Exit, Kill, RunId, Signal, Spawn, SpawnFailure, TreeEnd};
use worker_platform_windows::WindowsPlatform;

use crate::common::Door;

const RUN: RunId = RunId::new(1);
const OTHER: RunId = RunId::new(2);
const KILLED: TreeEnd = TreeEnd { killed: 1, left: 0 };
const NOT_KILLED: TreeEnd = TreeEnd { killed: 0, left: 0 };

#[test]
#[ignore = "the leader of the other tests, not a test"]
fn leader() {
    common::live();
}

#[tokio::test]
async fn the_exit_code_of_a_leader_is_seen() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    door.leader(&platform, RUN).await.exit_with_3();
    assert_eq!(platform.leader_exit(RUN).await, Exit::Code(3));
}

#[tokio::test]
async fn an_abort_is_seen_as_sigabrt() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    door.leader(&platform, RUN).await.abort();
    assert_eq!(platform.leader_exit(RUN).await, Exit::Signal(Signal::Abrt));
}

#[tokio::test]
async fn an_exit_can_be_asked_for_before_and_after_it_happened() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let mut peer = door.leader(&platform, RUN).await;
    let before = tokio::spawn({
        let platform = platform.clone();
        async move { platform.leader_exit(RUN).await }
    });
    peer.exit_with_3();
    assert_eq!(before.await.expect("no panic"), Exit::Code(3));
    assert_eq!(platform.leader_exit(RUN).await, Exit::Code(3));
}

#[tokio::test]
async fn killing_the_group_kills_nothing() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let mut peer = door.leader(&platform, RUN).await;
    platform.kill_group(RUN).await;
    assert!(peer.is_alive());
    peer.exit_with_3();
    assert_eq!(platform.tree_gone(RUN).await, NOT_KILLED);
}

#[tokio::test]
async fn a_kill_terminates_the_leader_and_leaves_its_child_alone() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let mut peer = door.leader(&platform, RUN).await;
    let mut child = door.child_of(&mut peer);
    platform.kill_group(RUN).await;
    platform.kill_escapees(RUN).await;
    assert_eq!(platform.leader_exit(RUN).await, Exit::Signal(Signal::Kill));
    assert_eq!(platform.tree_gone(RUN).await, KILLED);
    assert!(!peer.is_alive());
    assert!(child.is_alive());
}

#[tokio::test]
async fn a_second_kill_is_not_counted() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let _peer = door.leader(&platform, RUN).await;
    platform.kill_escapees(RUN).await;
    platform.leader_exit(RUN).await;
    platform.kill_escapees(RUN).await;
    assert_eq!(platform.tree_gone(RUN).await, KILLED);
}

#[tokio::test]
async fn a_leader_that_ended_by_itself_was_not_killed() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    door.leader(&platform, RUN).await.exit_with_3();
    platform.leader_exit(RUN).await;
    platform.kill_escapees(RUN).await;
    assert_eq!(platform.tree_gone(RUN).await, NOT_KILLED);
}

#[tokio::test]
async fn a_run_is_not_over_before_it_is_being_ended() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    door.leader(&platform, RUN).await.exit_with_3();
    platform.leader_exit(RUN).await;
    select! {
        biased;
        _ = platform.tree_gone(RUN) => panic!("nobody asked for its end"),
        () = future::ready(()) => {}
    }
    platform.release(RUN).await;
    assert_eq!(platform.tree_gone(RUN).await, NOT_KILLED);
}

#[tokio::test]
async fn ending_one_run_leaves_the_other_alone() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let _peer = door.leader(&platform, RUN).await;
    let mut other = door.leader(&platform, OTHER).await;
    platform.kill_escapees(RUN).await;
    assert_eq!(platform.tree_gone(RUN).await, KILLED);
    assert!(other.is_alive());
}

#[tokio::test]
async fn sigkill_as_the_signal_terminates_the_leader() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let _peer = door.leader(&platform, RUN).await;
    platform.signal_tree(RUN, Signal::Kill).await;
    assert_eq!(platform.tree_gone(RUN).await, KILLED);
}

#[tokio::test]
async fn a_leader_is_asked_to_end_where_it_shares_our_console_and_left_alone_elsewhere() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let mut peer = door.leader(&platform, RUN).await;
    platform.signal_tree(RUN, Signal::Term).await;
    if has_console() {
        assert_eq!(platform.leader_exit(RUN).await, Exit::Signal(Signal::Int));
        assert_eq!(platform.tree_gone(RUN).await, NOT_KILLED);
    } else {
        assert!(peer.is_alive());
    }
}

fn has_console() -> bool {
    // SAFETY: takes nothing, and gives 0 without a console.
    unsafe { GetConsoleCP() != 0 }
}

#[tokio::test]
async fn a_run_that_is_over_has_an_unknown_end_at_once() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let _peer = door.leader(&platform, RUN).await;
    platform.kill_escapees(RUN).await;
    platform.tree_gone(RUN).await;
    platform.signal_tree(RUN, Signal::Term).await;
    platform.kill_escapees(RUN).await;
    assert_eq!(platform.leader_exit(RUN).await, Exit::Unknown);
    assert_eq!(platform.tree_gone(RUN).await, NOT_KILLED);
}

#[tokio::test]
async fn a_spawn_that_fails_says_what_was_wrong() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    let (folder, text) = common::text_file();
    let mut missing = door.command();
    missing.program = folder.path().join("missing.exe");
    let mut unexecutable = door.command();
    unexecutable.program.clone_from(&text);
    let mut nowhere = door.command();
    nowhere.dir = folder.path().join("nowhere");
    let mut in_a_file = door.command();
    in_a_file.dir = text;

    let cases = [
        (missing, SpawnFailure::NotFound, "missing.exe"),
        (unexecutable, SpawnFailure::NotExecutable, "notes.exe"),
        (nowhere, SpawnFailure::BadFolder, "nowhere"),
        (in_a_file, SpawnFailure::BadFolder, "notes.exe: it is no folder"),
    ];
    for (command, failure, named) in cases {
        let error = platform.spawn(RUN, command).await.expect_err("it cannot be spawned");
        assert_eq!(error.failure, failure, "{error}");
        assert!(error.message.contains(named), "{error}");
    }
}

#[tokio::test]
async fn runs_that_are_over_hold_no_handles() {
    let (platform, door) = (WindowsPlatform::new(), Door::open());
    for run in 1..=5 {
        live_and_die(&platform, &door, RunId::new(run)).await;
    }
    let before = open_handles();
    for run in 6..=55 {
        live_and_die(&platform, &door, RunId::new(run)).await;
    }
    // Other tests come and go beside this one, and hold a few; 50 runs would hold 50 and more.
    assert!(open_handles() < before + 50);
}

async fn live_and_die(platform: &WindowsPlatform, door: &Door, run: RunId) {
    let _peer = door.leader(platform, run).await;
    platform.kill_escapees(run).await;
    assert_eq!(platform.tree_gone(run).await, KILLED);
}

fn open_handles() -> u32 {
    let mut handles = 0;
    // SAFETY: the handle names this process, and `handles` is there to be written.
    unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut handles) };
    handles
}
