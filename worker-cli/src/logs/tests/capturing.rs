//! Output on its way from real processes.

use std::process::{ChildStdin, Command, Stdio};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use worker_platform_unix::OutputWriter;

use super::*;

const BOTH: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

#[tokio::test]
async fn a_dead_leaders_last_words_are_in_the_log_after_a_drain_though_a_child_holds_the_pipe() {
    let scene = scene();
    let logs = Logs::start().unwrap();
    let (capture, outputs) = logs.capture(&scene.log, 7, BOTH, None).unwrap();
    let leader = Shell::start("cat <&3 & echo out; echo err >&2; printf 'last words'", outputs);
    leader.wait();
    capture.drain().await;
    let mut lines = all(&scene.log);
    lines.sort();
    assert_eq!(lines, ["7 stderr: err", "7 stdout: last words∎", "7 stdout: out"]);
    assert_eq!(capture.tail(2).await.unwrap().len(), 2);
}

/// A script that runs. Its descriptor 3 is at its end when this is dropped.
struct Shell {
    pid: Pid,
    _input: Option<ChildStdin>,
}

impl Shell {
    #[expect(clippy::zombie_processes, reason = "it is waited for by its number")]
    fn start(script: &str, [stdout, stderr]: [OutputWriter; 2]) -> Self {
        let script = format!("exec 3<&0; {script}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().unwrap();
        Self { pid: Pid::from_raw(child.id().cast_signed()).unwrap(), _input: child.stdin.take() }
    }

    fn wait(&self) {
        waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED).unwrap();
    }
}
