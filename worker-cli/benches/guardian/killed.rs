//! SIGKILL to the supervisor: how soon the last of its processes is gone.

use std::io::{self, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};

use crate::sweep::sweep;
use crate::times::Times;
use crate::worker::{Worker, wait_until_up};

/// 20 trees of five, each in a session of its own, which one of the five has left again. Each
/// process says `up` once it is where it belongs.
const TREES: &str = r#"
    say='echo up; exec sleep 60'
    tree='for i in 1 2 3; do sh -c "$0" & done; setsid sh -c "$0" & eval "$0"'
    for i in $(seq 20); do setsid sh -c "$tree" "$say" & done
    wait"#;
const PROCESSES: usize = 100;

const ROUNDS: usize = 20;
const AIM: Duration = Duration::from_millis(100);

/// A line for people. The two sides take turns, so that what else goes on in the machine hits both.
pub(crate) fn report() -> io::Result<String> {
    let (mut guarded, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        guarded.push(guarded_round()?);
        bare.push(bare_round()?);
    }
    let worst = guarded.iter().max().copied().unwrap_or_default();
    let (guarded, bare) = (Times::of(guarded), Times::of(bare));
    let ratio = guarded.ratio_to(&bare);
    Ok(format!(
        "SIGKILL to the supervisor, until the last of 20 trees of 5 and the guardian are gone, \
         {ROUNDS} rounds: {guarded}, at worst {worst:.1?}, a bare sweep {bare}; {ratio}, \
         aim about {AIM:?}"
    ))
}

/// All hold the pipe of the output, so its end is theirs.
fn guarded_round() -> io::Result<Duration> {
    let mut worker = Worker::start(TREES, PROCESSES)?;
    let supervisor = worker.supervisor()?;
    let begun = Instant::now();
    kill_process(supervisor, Signal::KILL)?;
    io::copy(&mut worker.output, &mut io::sink())?;
    Ok(begun.elapsed())
}

/// This process is a subreaper with the trees alone below it, and their leader is killed.
fn bare_round() -> io::Result<Duration> {
    set_child_subreaper(Some(getpid()))?;
    let (output, for_tree) = io::pipe()?;
    let leader = Command::new("sh")
        .args(["-c", TREES])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(for_tree)
        .spawn()?;
    wait_until_up(&mut BufReader::new(output), PROCESSES)?;
    let begun = Instant::now();
    kill_process(Pid::from_child(&leader), Signal::KILL)?;
    sweep()?;
    Ok(begun.elapsed())
}
