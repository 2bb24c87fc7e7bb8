//! What a spawned process finds, and what is said when there is none.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::kill_current_process_group;
use worker_core::{Exit, Kill, RunId, Spawn, SpawnError, SpawnFailure};
use worker_platform_unix::{Command, MARKER, Output, UnixPlatform, output_pipe};

use crate::common::{self, Lines, Tree, fixture, piped, scenario, soon};

async fn lines_of(platform: &UnixPlatform, run: u64, command: Command) -> Vec<String> {
    let (reader, writer) = output_pipe().unwrap();
    let run = RunId::new(run);
    platform.spawn(run, Command { stdout: Output::Pipe(writer), ..command }).await.unwrap();
    let mut lines = Lines::new(reader);
    let mut said = Vec::new();
    while let Some(line) = soon(lines.next()).await {
        said.push(line);
    }
    assert_eq!(soon(platform.leader_exit(run)).await, Exit::Code(0));
    platform.kill_group(run).await;
    soon(platform.tree_gone(run)).await;
    said
}

fn shell(script: &str) -> Command {
    Command {
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        ..common::command("")
    }
}

scenario!(a_leader_leads_a_group_of_its_own, async |platform| {
    let tree = Tree::grown(&platform, 1, "up a sleep", 1).await;
    let pid = rustix::process::Pid::from_raw(tree.leader);
    assert_eq!(rustix::process::getpgid(pid).ok(), pid);
    assert_eq!(tree.pid("a"), tree.leader);
    tree.crash(&platform).await;
    tree.rest().await;
});

#[cfg(target_os = "linux")]
scenario!(
    a_child_may_have_as_many_files_open_as_before_we_raised_our_own_limit,
    async |platform| {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let hard = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(1000), maximum: hard }).unwrap();
        platform.raise_open_files().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, hard);
        platform.raise_open_files().unwrap();
        // It has the limit soon after its start, not at once. The hard one is left alone.
        let script = "until test $(ulimit -Sn) = 1000; do :; done; ulimit -Sn; ulimit -Hn";
        let said = lines_of(&platform, 1, shell(script)).await;
        let hard = hard.map_or("unlimited".to_owned(), |hard| hard.to_string());
        assert_eq!(said, ["1000", &hard]);
    }
);

scenario!(folder_arguments_and_environment_are_exactly_as_given, async |platform| {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let mut command = shell("pwd; echo \"$1\"; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=");
    command.args.extend(["sh".into(), "two words".into()]);
    command.env = vec![("A".into(), "b c".into()), (MARKER.into(), "forged".into())];
    command.dir.clone_from(&folder);
    let said = lines_of(&platform, 7, command).await;
    assert_eq!(said[..2], [folder.to_str().unwrap(), "two words"]);
    let mut environment = said[2..].to_vec();
    environment.sort();
    assert_eq!(environment[0], "A=b c");
    let pid = std::process::id();
    let marker = environment[1].strip_prefix("WORKER_MARKER=").unwrap();
    assert!(marker.contains(&format!(":{pid}:")) && marker.ends_with(":7"), "{marker}");
    assert_eq!(environment.len(), 2);
});

scenario!(only_the_standard_descriptors_are_inherited, async |platform| {
    // The scenario has inherited another one; see `common::inside`.
    let said = lines_of(&platform, 1, common::command("print-descriptors")).await;
    assert_eq!(said, ["descriptor 0", "descriptor 1", "descriptor 2"]);
});

#[cfg(target_os = "linux")]
scenario!(on OldKernel, a_kernel_without_close_range_spawns_all_the_same, spawns);
#[cfg(target_os = "linux")]
scenario!(on Emulator, an_emulator_without_our_way_to_clone_spawns_all_the_same, spawns);

async fn spawns(platform: UnixPlatform) {
    let said = lines_of(&platform, 1, common::command("print-descriptors")).await;
    assert_eq!(said, ["descriptor 0", "descriptor 1", "descriptor 2"]);
    let command = Command { dir: "/no/such/folder".into(), ..common::command("exit 0") };
    says(&failure(&platform, command).await, SpawnFailure::BadFolder, &["/no/such/folder"]);
}

scenario!(a_child_inherits_no_more_the_more_there_is, async |platform| {
    let open = || std::fs::File::open("/dev/null").unwrap();
    let many: Vec<std::fs::File> = (0..300).map(|_| open()).collect();
    let said = lines_of(&platform, 1, common::command("print-descriptors")).await;
    assert_eq!(said, ["descriptor 0", "descriptor 1", "descriptor 2"]);
    let last = many.last().unwrap();
    assert!(rustix::io::fcntl_getfd(last).is_ok(), "ours stay open");
});

/// The signals in a field of a process's status, as the kernel prints them.
fn signals(status: &[String], field: &str) -> u64 {
    let value = status.iter().find_map(|line| line.strip_prefix(field)).unwrap();
    u64::from_str_radix(value.trim(), 16).unwrap()
}

fn bit(number: i32) -> u64 {
    1 << (number - 1)
}

scenario!(
    a_child_blocks_no_signal_and_ignores_those_that_were_ignored_at_start,
    async |platform| {
        // SAFETY: this scenario's process has one thread that matters, and no handler of ours runs.
        unsafe {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            let mut blocked: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&raw mut blocked, libc::SIGTERM);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, std::ptr::null_mut());
        }
        let status = lines_of(&platform, 1, shell("exec cat /proc/self/status")).await;
        assert_eq!(signals(&status, "SigBlk:"), 0);
        let ignored = signals(&status, "SigIgn:");
        assert_eq!(ignored & bit(libc::SIGHUP), bit(libc::SIGHUP));
        assert_eq!(ignored & bit(libc::SIGPIPE), 0, "which the standard library ignores in us");
        assert_eq!(ignored & bit(libc::SIGCHLD), 0);
    }
);

scenario!(a_stop_that_is_meant_for_us_holds_up_no_spawn, async |platform| {
    extern "C" fn note(_: libc::c_int) {}
    rustix::process::setpgid(None, None).unwrap();
    // SAFETY: the handler does nothing. The alarm ends us if a spawn never returns.
    unsafe {
        libc::signal(libc::SIGTSTP, note as *const () as libc::sighandler_t);
        libc::alarm(60);
    }
    let over = Arc::new(AtomicBool::new(false));
    let stops = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            while !over.load(Ordering::Relaxed) {
                kill_current_process_group(rustix::process::Signal::TSTP).unwrap();
            }
        }
    });
    for run in (1..=200).map(RunId::new) {
        let command = Command { program: "/bin/true".into(), ..common::command("") };
        platform.spawn(run, command).await.unwrap();
        assert_eq!(soon(platform.leader_exit(run)).await, Exit::Code(0));
        platform.kill_group(run).await;
        soon(platform.tree_gone(run)).await;
    }
    over.store(true, Ordering::Relaxed);
    stops.join().unwrap();
});

scenario!(both_outputs_may_share_a_pipe, async |platform| {
    let (_, unused) = output_pipe().unwrap();
    drop(unused);
    let (reader, writer) = output_pipe().unwrap();
    let stderr = Output::Pipe(writer.try_clone().unwrap());
    let command = shell("echo out; echo err >&2; echo out");
    let command = Command { stdout: Output::Pipe(writer), stderr, ..command };
    let run = RunId::new(1);
    platform.spawn(run, command).await.unwrap();
    let mut lines = Lines::new(reader);
    for expected in ["out", "err", "out"] {
        assert_eq!(soon(lines.next()).await.as_deref(), Some(expected));
    }
    assert_eq!(soon(lines.next()).await, None, "no writer of it is left in us");
    platform.kill_group(run).await;
    soon(platform.tree_gone(run)).await;
});

// --- Failures ------------------------------------------------------------------------------------

fn file(folder: &Path, name: &str, content: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

async fn failure(platform: &UnixPlatform, command: Command) -> SpawnError {
    let error = platform.spawn(RunId::new(1), command).await.unwrap_err();
    assert_eq!(common::own_children(), []);
    error
}

async fn failure_of(platform: &UnixPlatform, program: &Path) -> SpawnError {
    failure(platform, Command { program: program.to_owned(), ..common::command("") }).await
}

fn says(error: &SpawnError, failure: SpawnFailure, words: &[&str]) {
    assert_eq!(error.failure, failure, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word} is not in: {error}");
    }
}

scenario!(a_program_that_is_missing_is_named, async |platform| {
    let error = failure_of(&platform, Path::new("/no/such/program")).await;
    says(&error, SpawnFailure::NotFound, &["/no/such/program"]);
});

scenario!(a_program_that_may_not_be_executed_is_named, async |platform| {
    let folder = tempfile::tempdir().unwrap();
    let program = file(folder.path(), "tool", "#!/bin/sh\n", 0o644);
    let error = failure_of(&platform, &program).await;
    says(&error, SpawnFailure::NotExecutable, &["tool", "permission denied", "chmod"]);
});

scenario!(a_folder_is_no_program, async |platform| {
    let error = failure_of(&platform, Path::new("/etc")).await;
    says(&error, SpawnFailure::NotExecutable, &["/etc", "is a folder"]);
});

scenario!(a_bad_interpreter_is_named, async |platform| {
    let folder = tempfile::tempdir().unwrap();
    let program = file(folder.path(), "tool", "#! /no/such/interpreter -x\n", 0o755);
    let error = failure_of(&platform, &program).await;
    says(&error, SpawnFailure::NotExecutable, &["tool", "/no/such/interpreter", "#!"]);
});

scenario!(a_file_that_is_no_program_is_named, async |platform| {
    let folder = tempfile::tempdir().unwrap();
    let program = file(folder.path(), "tool", "hello\n", 0o755);
    let error = failure_of(&platform, &program).await;
    says(&error, SpawnFailure::NotExecutable, &["tool", "#!"]);
});

scenario!(a_folder_to_run_in_that_is_missing_or_none_is_named, async |platform| {
    for (dir, word) in [("/no/such/folder", "no such folder"), ("/etc/passwd", "not a folder")] {
        let command = Command { dir: PathBuf::from(dir), ..common::command("up a") };
        says(&failure(&platform, command).await, SpawnFailure::BadFolder, &[dir, word]);
    }
});

scenario!(arguments_that_are_too_long_are_an_error, async |platform| {
    let mut command = common::command("up a");
    command.args = vec!["x".repeat(1 << 20).into(); 16];
    says(&failure(&platform, command).await, SpawnFailure::Other, &["too long"]);
});

scenario!(an_argument_with_a_nul_is_an_error, async |platform| {
    let mut command = common::command("up a");
    command.args = vec![OsStr::new("a\0b").to_owned()];
    says(&failure(&platform, command).await, SpawnFailure::Other, &[fixture().to_str().unwrap()]);
});

scenario!(a_failed_spawn_leaves_the_run_free_to_be_spawned, async |platform| {
    failure_of(&platform, Path::new("/no/such/program")).await;
    let (_reader, writer) = output_pipe().unwrap();
    let run = RunId::new(1);
    platform.spawn(run, piped("exit 3", writer)).await.unwrap();
    assert_eq!(soon(platform.leader_exit(run)).await, Exit::Code(3));
    platform.kill_group(run).await;
    soon(platform.tree_gone(run)).await;
});
