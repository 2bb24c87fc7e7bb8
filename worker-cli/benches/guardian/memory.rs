//! The memory that the guardian alone takes: what the machine would have back without it.

use std::fs;
use std::io;

use crate::worker::Worker;

const AIM: u64 = 200;

/// A page counts as private or not by who else happens to have touched it.
const GUARDIANS: usize = 20;

/// A line for people.
pub(crate) fn report() -> io::Result<String> {
    let mut sizes = (0..GUARDIANS).map(|_| measure()).collect::<io::Result<Vec<_>>>()?;
    sizes.sort_unstable();
    let (median, worst) = (sizes[GUARDIANS / 2], sizes[GUARDIANS - 1]);
    let ratio = |size| size as f64 / AIM as f64;
    Ok(format!(
        "private memory of {GUARDIANS} guardians: {median} KB, at worst {worst} KB; \
         ratio {:.2} (median) {:.2} (worst) to the aim of {AIM} KB",
        ratio(median),
        ratio(worst),
    ))
}

/// While the command runs.
fn measure() -> io::Result<u64> {
    let worker = Worker::start("echo up; exec sleep 60", 1)?;
    private_kilobytes(worker.guardian().as_raw_nonzero().get())
}

/// `Private_Clean` + `Private_Dirty` of `/proc/PID/smaps_rollup`.
fn private_kilobytes(pid: i32) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let private = rollup.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_private = ["Private_Clean", "Private_Dirty"].contains(&name);
        is_private.then(|| value.trim().strip_suffix(" kB")?.parse::<u64>().ok()).flatten()
    });
    Ok(private.sum())
}
