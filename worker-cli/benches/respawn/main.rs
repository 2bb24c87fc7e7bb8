//! From a crash to the first instruction of the next run: `worker run` beside the bare system calls
//! that anybody would need.
//!
//! `worker run` is asked twice: without a cgroup for each run, and with one where that can be, which
//! takes one more exec. All keep the same tiny program alive and are asked in turn, so that what
//! else goes on in the machine hits them alike.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
#[path = "../common/elf.rs"]
mod elf;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod supervised;
#[cfg(target_os = "linux")]
#[path = "../../../platform-unix/benches/common/times.rs"]
mod times;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: only written for Linux");
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    use std::fs;

    const ROUNDS: usize = 1000;
    const WARM_UP: usize = 50;

    let Some(path) = elf::install(&program::X86_64, "first-instruction")? else { return Ok(()) };
    let mut supervised = supervised::Supervised::start(&path, "--cgroup=never")?;
    let mut in_cgroup = supervised::Supervised::start(&path, "--cgroup=auto")?;
    let mut bare = bare::Bare::start(&path)?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let times = report::Round {
            supervised: supervised.crash()?,
            in_cgroup: in_cgroup.crash()?,
            bare: bare.crash()?,
        };
        if round >= WARM_UP {
            rounds.push(times);
        }
    }
    println!("{}", report::report(&rounds));
    fs::remove_file(&path)
}
