//! The other side: the system calls that cannot be done without, by somebody who knows that this
//! tree is all that there is.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, getpid, kill_process_group, set_child_subreaper};

use crate::sweep::sweep;
use crate::tree;

/// Kills the group, then whatever falls to us.
pub(crate) fn empty_by_subreaper() -> io::Result<Duration> {
    let leader = grow(&[])?;
    let begun = Instant::now();
    kill_process_group(leader, Signal::KILL)?;
    sweep()?;
    Ok(begun.elapsed())
}

/// Writes to `cgroup.kill`, waits until nobody is there, and reaps.
pub(crate) fn empty_by_cgroup(home: &Path) -> io::Result<Duration> {
    let folder = home.join(format!("bench-{}", std::process::id()));
    fs::create_dir(&folder)?;
    grow(&["enter", &folder.to_string_lossy()])?;
    let begun = Instant::now();
    fs::write(folder.join("cgroup.kill"), "1")?;
    wait_until_empty(&mut File::open(folder.join("cgroup.events"))?)?;
    sweep()?; // All are dead, so it only reaps.
    fs::remove_dir(folder)?;
    Ok(begun.elapsed())
}

/// Starts the tree, and waits until it is complete.
fn grow(first: &[&str]) -> io::Result<Pid> {
    set_child_subreaper(Some(getpid()))?;
    let (mut output, for_tree) = io::pipe()?;
    let mut command = Command::new(tree::program());
    command.args(first).args(tree::script()).process_group(0).env_clear();
    let leader = command.stdin(Stdio::null()).stdout(for_tree).spawn()?;
    drop(command); // With our end for writing.
    wait_until_complete(&mut output)?;
    Ok(Pid::from_child(&leader))
}

fn wait_until_complete(output: &mut PipeReader) -> io::Result<()> {
    let (mut written, mut chunk) = (Vec::new(), [0; 4096]);
    while !tree::is_complete(&written) {
        match output.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => written.extend(&chunk[..length]),
        }
    }
    Ok(())
}

fn wait_until_empty(events: &mut File) -> io::Result<()> {
    loop {
        let mut content = String::new();
        events.rewind()?;
        events.read_to_string(&mut content)?;
        if content.contains("populated 0") {
            return Ok(());
        }
        poll(&mut [PollFd::new(&*events, PollFlags::PRI)], None)?;
    }
}
