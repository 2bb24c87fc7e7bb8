//! What a spawn costs a process of 20 MB, and one of 500 MB: the same, since nothing of it is copied.
//!
//! One process is small and large in turn, so that what else goes on in the machine hits both alike.

#[path = "../common/times.rs"]
mod times;

use std::fs;
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use worker_core::{Kill, RunId, Spawn};
use worker_platform_unix::{Command, Input, Output, Shim, Tier, UnixPlatform};

use crate::times::Times;

const FIXTURE: &str = env!("CARGO_BIN_EXE_worker-fixture");

const MEGABYTE: usize = 1 << 20;
const SMALL: usize = 20 * MEGABYTE;
const LARGE: usize = 500 * MEGABYTE;

/// How often it becomes large.
const TURNS: usize = 10;
const SPAWNS_A_TURN: usize = 100;

fn main() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        compare("without a cgroup", UnixPlatform::new()?).await?;
        let platform = UnixPlatform::with_cgroups(Shim::program(FIXTURE))?;
        match platform.tier() {
            Tier::Cgroup { .. } => compare("by the shim, into a cgroup", platform).await,
            Tier::Subreaper { no_cgroups } | Tier::Group { no_cgroups } => {
                println!("=> spawn into a cgroup: skipped: {no_cgroups}");
                Ok(())
            }
        }
    })
}

async fn compare(how: &str, platform: UnixPlatform) -> io::Result<()> {
    let mut runs = (1..).map(RunId::new);
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        for (size, times) in [(SMALL, &mut small), (LARGE, &mut large)] {
            let balloon = inflate(size)?;
            for run in runs.by_ref().take(SPAWNS_A_TURN) {
                times.push(spawn(&platform, run).await?);
            }
            drop(black_box(balloon));
        }
    }
    let (small, large) = (Times::of(small), Times::of(large));
    let ratio = large.ratio_to(&small);
    println!(
        "=> spawn {how}, {} times: {large} at 500 MB, {small} at 20 MB; {ratio}, aim 1.00 within noise",
        TURNS * SPAWNS_A_TURN
    );
    Ok(())
}

/// Memory of this size, which is there.
fn inflate(size: usize) -> io::Result<Vec<u8>> {
    let balloon = black_box(vec![1; size]);
    if resident().is_some_and(|resident| resident < size) {
        return Err(io::Error::other("the balloon is not in memory"));
    }
    Ok(balloon)
}

/// In bytes; none where the system does not say so in `/proc`.
fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: usize = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The time until the program is being executed. Then waits until nothing of the run is left.
async fn spawn(platform: &UnixPlatform, run: RunId) -> io::Result<Duration> {
    let command = command();
    let begun = Instant::now();
    let spawned = platform.spawn(run, command).await;
    let time = begun.elapsed();
    spawned.map_err(|error| io::Error::other(error.message))?;
    platform.leader_exit(run).await;
    platform.kill_group(run).await;
    platform.kill_escapees(run).await;
    platform.tree_gone(run).await;
    Ok(time)
}

fn command() -> Command {
    Command {
        program: FIXTURE.into(),
        args: ["exit", "0"].map(Into::into).into(),
        env: Vec::new(),
        dir: "/".into(),
        task_limit: None,
        stdin: Input::Null,
        stdout: Output::Null,
        stderr: Output::Inherit,
    }
}
