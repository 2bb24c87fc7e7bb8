//! Output on its way from real processes.

use std::ops::ControlFlow;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::time::timeout;
use worker_platform_unix::OutputWriter;

use super::*;

const BOTH: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

/// Never reached.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_dead_leaders_last_words_are_in_the_log_after_a_drain_though_a_child_holds_the_pipe() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (capture, outputs) = logs.capture(&scene.log, 7, BOTH, None).unwrap();
    let leader = Shell::start("cat <&3 & echo out; echo err >&2; printf 'last words'", outputs);
    let held = leader.wait();
    capture.drain().await;
    let mut lines = all(&scene.log);
    lines.sort();
    assert_eq!(lines, ["7 stderr: err", "7 stdout: last words∎", "7 stdout: out"]);
    assert_eq!(capture.tail(2).await.unwrap().len(), 2);
    drop(held);
}

#[tokio::test]
async fn output_is_carried_after_the_capture_is_dropped_and_ends_with_the_last_writer() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let mut stream = scene.log.stream(Query::default(), Follow::Yes);
    let (capture, outputs) = logs.capture(&scene.log, 1, BOTH, None).unwrap();
    drop(capture);
    drop(Shell::start("(cat <&3; printf late) & exit", outputs).wait());
    let batch = timeout(LONG, stream.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(text(&batch[0]), "1 stdout: late∎");
}

#[tokio::test]
async fn who_closes_is_told_the_last_words() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (capture, outputs) = logs.capture(&scene.log, 1, BOTH, None).unwrap();
    Shell::start("echo first; printf 'last words'", outputs).wait();
    let tail = capture.close_with_tail(1).await.unwrap();
    assert_eq!(tail.iter().map(|line| &*line.bytes).collect::<Vec<_>>(), [b"last words"]);
    assert_eq!(all(&scene.log), ["1 stdout: first", "1 stdout: last words∎"]);
}

#[tokio::test]
async fn a_closed_capture_leaves_nobody_to_read_the_pipe() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (capture, outputs) = logs.capture(&scene.log, 1, BOTH, None).unwrap();
    let shell = Shell::start("cat <&3; while :; do echo more; done", outputs);
    capture.close().await;
    drop(shell.input);
    let status = waitid(WaitId::Pid(shell.pid), WaitIdOptions::EXITED).unwrap().unwrap();
    assert_eq!(status.terminating_signal(), Some(Signal::PIPE.as_raw()));
}

#[tokio::test]
async fn much_output_of_several_runs_at_once_is_stored_exactly() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let mut running = Vec::new();
    for run in 1..=3 {
        let (capture, outputs) = logs.capture(&scene.log, run, BOTH, None).unwrap();
        running.push((capture, Shell::start("seq 200000 >&2 & seq 200000; wait", outputs)));
    }
    for (capture, shell) in running {
        shell.wait();
        capture.close().await;
    }
    for run in 1..=3 {
        for stream in BOTH {
            let query = Query { run: Some(run), ..Query::default() };
            let mut numbers = 1..=200_000_u32;
            for record in scene.log.records(&query).unwrap() {
                if let Record::Line(line) = record.unwrap()
                    && line.stream == stream
                {
                    let expected = numbers.next().unwrap().to_string();
                    assert_eq!(line.bytes, expected.as_bytes());
                }
            }
            assert_eq!(numbers.next(), None);
        }
    }
    assert_eq!(scene.log.health(), LogHealth::default());
}

#[tokio::test]
async fn a_tap_sees_all_output_until_it_breaks() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (seen, taps) = channel();
    let tap: Tap = Box::new(move |stream, bytes| {
        seen.send((stream, bytes.to_vec())).unwrap();
        if bytes.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (capture, outputs) = logs.capture(&scene.log, 1, BOTH, Some(tap)).unwrap();
    let shell = Shell::start("echo one; exec >&-; cat <&3 >&2; echo two >&2", outputs);
    let next = || taps.recv_timeout(LONG);
    assert_eq!(next(), Ok((Stream::Stdout, b"one\n".to_vec())));
    assert_eq!(next(), Ok((Stream::Stdout, Vec::new())), "the end");
    let Shell { pid, input } = shell;
    drop(input);
    Shell { pid, input: None }.wait();
    capture.close().await;
    assert_eq!(next(), Err(RecvTimeoutError::Disconnected));
    assert_eq!(all(&scene.log), ["1 stdout: one", "1 stderr: two"]);
}

#[tokio::test]
async fn a_silent_run_leaves_no_file() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (capture, outputs) = logs.capture(&scene.log, 1, BOTH, None).unwrap();
    Shell::start("exit", outputs).wait();
    assert_eq!(capture.tail(5).await.unwrap(), []);
    capture.close().await;
    assert!(!scene.path().exists());
}

/// A script that runs. Its descriptor 3 is at its end when the input is dropped.
struct Shell {
    pid: Pid,
    input: Option<ChildStdin>,
}

impl Shell {
    #[expect(clippy::zombie_processes, reason = "`wait` reaps it")]
    fn start(script: &str, [stdout, stderr]: [OutputWriter; 2]) -> Self {
        let script = format!("exec 3<&0; {script}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().unwrap();
        Self { pid: Pid::from_raw(child.id().cast_signed()).unwrap(), input: child.stdin.take() }
    }

    /// Gives the input, which a child of it may still read.
    fn wait(self) -> Option<ChildStdin> {
        waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED).unwrap();
        self.input
    }
}
