//! When a supervisor and its guardian are killed at once, the next start ends what is left.

use std::path::PathBuf;

use crate::common::{
    OUT_OF_SIGHT, Running, Worker, bare, children_of, end, eventually, processes_with, run_sh,
    send_signal, state,
};

/// The leader, a plain child and its child, one that ignores signals with its child, one in a session
/// of its own, a daemon that forked twice with a child of its own, one without an environment, and
/// one that is stopped. That one is not in the leader's group: the kernel would send SIGHUP to all of
/// a group that is left by its last parent while a process of it is stopped.
const TREE: &str = "\
    sh -c 'sleep 600; :' & \
    sh -c 'trap \"\" TERM INT HUP; sleep 600; :' & \
    setsid sleep 600 & \
    (setsid sh -c 'sleep 600 & exec sleep 600' &) ; \
    setsid env -i sleep 600 & \
    setsid sh -c 'kill -STOP $$' & \
    [ -e $DIR/go ] || mkfifo $DIR/go; echo up; read x < $DIR/go";

const COUNT: usize = 10;

fn tag(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// A test that fails must not leave processes behind.
struct EndLeftovers {
    tag: String,
    /// What can be found by no tag.
    wiped: Option<i32>,
}

impl Drop for EndLeftovers {
    fn drop(&mut self) {
        let wiped = self.wiped.filter(|&pid| is_sleep(pid) && has_no_environment(pid));
        for pid in processes_with("TAG", &self.tag).into_iter().chain(wiped) {
            end(pid);
        }
    }
}

/// Starts the tree, and waits until it is complete.
fn grown(tag: &str) -> (Running, EndLeftovers) {
    let mut leftovers = EndLeftovers { tag: tag.to_owned(), wiped: None };
    let tag_variable = format!("TAG={tag}");
    let running = run_sh(&[&OUT_OF_SIGHT[..], &["--env", &tag_variable]].concat(), TREE).start();
    running.await_stdout("up");
    let leader = running.await_event("spawned")["pid"].as_i64().unwrap();
    eventually("a complete tree", || {
        leftovers.wiped = wiped_child(i32::try_from(leader).unwrap());
        leftovers.wiped.is_some() && is_complete(tag)
    });
    (running, leftovers)
}

fn wiped_child(leader: i32) -> Option<i32> {
    children_of(leader).into_iter().find(|&pid| is_sleep(pid) && has_no_environment(pid))
}

/// Not a moment before: on the way there shells fork that end again.
fn is_complete(tag: &str) -> bool {
    let tagged = processes_with("TAG", tag);
    tagged.len() == COUNT - 1
        && tagged.iter().filter(|&&pid| is_sleep(pid)).count() == 5
        && tagged.iter().any(|&pid| state(pid) == Some('T'))
}

fn is_sleep(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
}

fn has_no_environment(pid: i32) -> bool {
    std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| environ.is_empty())
}

fn state_dir(running: &Running) -> PathBuf {
    running.folder.path().join("state")
}

fn journals(running: &Running) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state_dir(running).join("journal")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "journal")).collect()
}

/// A start with the same state folder.
fn again(running: &Running, script: &str) -> Worker {
    run_sh(&OUT_OF_SIGHT, script).env("WORKER_STATE_DIR", state_dir(running))
}

#[test]
fn what_is_left_when_both_were_killed_is_gone_before_the_next_run_begins() {
    let tag = &tag("both");
    let (running, _leftovers) = grown(tag);
    let supervisor = running.kill_both();
    assert_eq!(processes_with("TAG", tag).len(), COUNT - 1, "killing both alone ends nothing");
    let count = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c ^TAG=$OLD; :";
    let next = again(&running, count).env("OLD", tag).finish();
    assert_eq!(next.stdout(), "0\n", "{}", next.stderr);
    next.check_code(0).check_stderr(&format!(
        "worker: ended {COUNT} processes that a killed supervisor (pid {supervisor}) had left behind"
    ));
    assert_eq!(journals(&running), <[PathBuf; 0]>::default(), "nothing is behind it any more");
    running.finish(); // Each of them held its output.
}

#[test]
fn what_the_guardian_ended_is_no_news() {
    let tag = &tag("one");
    let (running, _leftovers) = grown(tag);
    assert_eq!(journals(&running).len(), 1);
    send_signal(running.supervisor(), "KILL");
    eventually("the guardian to end all, and then itself", || state(running.pid()) == Some('Z'));
    assert_eq!(processes_with("TAG", tag), <[i32; 0]>::default());
    let next = again(&running, ":").finish();
    assert!(!next.check_code(0).stderr.contains("left behind"), "{}", next.stderr);
    assert_eq!(journals(&running), <[PathBuf; 0]>::default());
    running.finish();
}

#[test]
fn supervisors_side_by_side_leave_each_other_alone() {
    let tag = &tag("beside");
    let (running, _leftovers) = grown(tag);
    let next = again(&running, ":").finish();
    assert!(!next.check_code(0).stderr.contains("left behind"), "{}", next.stderr);
    assert_eq!(processes_with("TAG", tag).len(), COUNT - 1);
    assert_eq!(journals(&running).len(), 1, "that of the one that lives");
    running.signal("TERM");
    running.await_event("exited");
    running.signal("TERM"); // One of the others ignores it.
    running.finish().check_code(143);
}

#[test]
fn a_run_that_ends_in_order_leaves_no_journal() {
    let script = "[ $WORKER_RUN = 3 ] || exit 1; ls $WORKER_STATE_DIR/journal | grep -c journal$";
    let running = run_sh(&["--backoff", "1ms"], script).start();
    running.await_stdout("1");
    eventually("its end", || journals(&running).is_empty());
    running.finish().check_code(0);
}

#[test]
fn a_journal_does_not_grow_with_the_runs() {
    let script =
        "[ $WORKER_RUN = 100 ] || exit 1; stat -c %s,%a $WORKER_STATE_DIR/journal/*.journal";
    let options = ["--backoff", "1ns", "--backoff-max", "1ns", "--max-failures", "1000"];
    let finished = run_sh(&[&options[..], &["--window", "1h"]].concat(), script).finish();
    finished.check_code(0);
    assert_eq!(finished.stdout(), "4096,600\n");
}

#[test]
fn without_a_place_for_a_journal_all_goes_on_and_that_is_said_once() {
    let script = "[ $WORKER_RUN = 3 ] || exit 1";
    let worker = run_sh(&["--backoff", "1ms"], script).env("WORKER_STATE_DIR", "/dev/null/state");
    let finished = worker.finish();
    finished.check_code(0);
    assert_eq!(finished.stderr.matches("no journal is kept").count(), 1, "{}", finished.stderr);
}

#[test]
fn on_a_full_disk_all_goes_on_and_that_is_said_once() {
    let fill = "mount -t tmpfs -o size=4k none /mnt && head -c 4096 /dev/zero >/mnt/fill && \
                exec \"$@\"";
    let full = ["unshare", "-m", "sh", "-c", fill, "sh"];
    let can = bare(&["--version"]).under(&full).finish();
    if can.code != Some(0) {
        eprintln!("skipped: no file system can be mounted: {}", can.stderr);
        return;
    }
    let script = "[ $WORKER_RUN = 3 ] || exit 1";
    let worker = run_sh(&["--backoff", "1ms", "--state-dir", "/mnt/state"], script);
    let finished = worker.under(&full).finish();
    finished.check_code(0);
    assert_eq!(finished.stderr.matches("no journal is kept").count(), 1, "{}", finished.stderr);
    finished.check_stderr("No space left");
}

#[test]
fn a_damaged_journal_is_kept_under_another_name_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let journals = folder.path().join("journal");
    std::fs::create_dir(&journals).unwrap();
    std::fs::write(journals.join("1-2-3.journal"), "scribble").unwrap();
    let finished = run_sh(&[], ":").env("WORKER_STATE_DIR", folder.path()).finish();
    finished.check_code(0).check_stderr("is damaged: it was kept as");
    let kept = std::fs::read_to_string(journals.join("1-2-3.damaged"));
    assert_eq!(kept.unwrap(), "scribble");
}

#[test]
fn a_start_below_what_is_left_does_not_end_itself() {
    // An agent, say, that outlives its supervisor and starts one itself.
    let script = "echo up; read x < $DIR/go; \"$WORKER\" run --cgroup never -- echo done; echo here; sleep 600";
    let running = run_sh(&OUT_OF_SIGHT, &format!("mkfifo $DIR/go; {script}"))
        .env("WORKER", env!("CARGO_BIN_EXE_worker"))
        .start();
    running.await_stdout("up");
    let supervisor = running.kill_both();
    std::fs::write(running.folder.path().join("go"), "go\n").unwrap();
    running.await_stderr(&format!("killed supervisor (pid {supervisor}) left processes behind"));
    running.await_stdout("here");
    let next = again(&running, ":").finish();
    next.check_code(0).check_stderr(&format!("killed supervisor (pid {supervisor}) had left"));
    running.finish();
}

#[test]
fn as_pid_1_no_journal_is_kept() {
    let script = "ls $WORKER_STATE_DIR 2>/dev/null | wc -l";
    let wrapper = ["unshare", "-pf", "--mount-proc"];
    let can = bare(&["--version"]).under(&wrapper).finish();
    if can.code != Some(0) {
        eprintln!("skipped: no process namespace: {}", can.stderr);
        return;
    }
    let finished = run_sh(&[], script).under(&wrapper).finish();
    finished.check_code(0);
    assert_eq!(finished.stdout(), "0\n");
    assert!(!finished.stderr.contains("journal"), "{}", finished.stderr);
}
