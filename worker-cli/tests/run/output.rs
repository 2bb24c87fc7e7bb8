//! Standard streams pass through.

use crate::common::{run, run_sh};

/// The most memory that a process had, in kB.
fn peak_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn output_is_handed_over_as_it_is() {
    // The descriptor of the child is the one of `worker`: a file is the same file.
    let script = "readlink /proc/$$/fd/1 /proc/$PPID/fd/1";
    let finished = run_sh(&[], script).finish();
    finished.check_code(0);
    let stdout = finished.stdout();
    let links: Vec<&str> = stdout.lines().collect();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0], links[1]);
}

#[test]
fn binary_output_is_unchanged_also_where_a_probe_reads_it() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes");
    std::fs::write(&file, all_bytes.repeat(1000)).unwrap();
    for options in [&[][..], &["--ready", "log=never", "--max-failures", "1"]] {
        let finished = run(options, &["cat".as_ref(), file.as_os_str()]).finish();
        assert_eq!(finished.stdout.len(), 256_000);
        assert_eq!(finished.stdout, all_bytes.repeat(1000));
    }
}

#[test]
fn output_without_a_newline_takes_bounded_memory() {
    let script = "head -c 64M /dev/zero; echo; echo written >&2; exec sleep 600";
    let running = run_sh(&["--ready", "log=never"], script).start();
    running.await_stderr("written");
    let peak = peak_memory(running.supervisor());
    running.signal("TERM");
    let finished = running.finish();
    assert_eq!(finished.stdout.len(), (64 << 20) + 1);
    assert!(peak < 32 * 1024, "{peak} kB");
}

#[test]
fn a_pipe_on_stdin_is_passed_on() {
    let finished = run_sh(&[], "read word; echo got $word").start_with(b"hello\n").finish();
    finished.check_code(0);
    assert_eq!(finished.stdout(), "got hello\n");
}

#[test]
fn a_terminal_on_stdin_is_replaced_by_dev_null() {
    // `script` gives its command a terminal on all three streams, so that what is said to people is
    // seen, too: of cgroups that somebody else left behind, say.
    let worker = env!("CARGO_BIN_EXE_worker");
    let inner = format!("{worker} run --cgroup never -- readlink /proc/self/fd/0");
    let script = crate::common::bare(&[]).instead(&["script", "-qec", &inner, "/dev/null"]);
    let finished = script.finish();
    assert_eq!(finished.stdout().trim(), "/dev/null");
}
