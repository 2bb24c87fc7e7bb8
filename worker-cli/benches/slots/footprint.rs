//! The memory of the daemon, as the machine would count it: what it shares is divided by those that
//! it is shared with.

use std::fs;
use std::io;
use std::path::Path;

use crate::daemon::Daemon;
use crate::project::{MANY, slots};

const AIM_EMPTY_KB: f64 = 8000.0;
const AIM_EACH_KB: f64 = 6.0;

/// So many have run before the others come, so that code and tables that the first one needs do not
/// count for each.
const FEW: usize = 10;

/// A line for people. Leaves the daemon with its slots running.
pub(crate) fn report(daemon: &Daemon, program: &Path) -> io::Result<String> {
    let empty = pss(daemon.pid()?)?;
    let few = pss_with(daemon, FEW, program)?;
    let many = pss_with(daemon, MANY, program)?;
    let each = (many - few) / (MANY - FEW) as f64;
    Ok(format!(
        "memory (PSS) of the daemon: {empty:.0} KB without slots, ratio {:.2} to the aim of \
         {AIM_EMPTY_KB:.0} KB; {each:.2} KB more for each silent child, from {FEW} to {MANY}, ratio \
         {:.2} to the aim of {AIM_EACH_KB:.0} KB",
        empty / AIM_EMPTY_KB,
        each / AIM_EACH_KB,
    ))
}

fn pss_with(daemon: &Daemon, count: usize, program: &Path) -> io::Result<f64> {
    daemon.write(&slots(count, program))?;
    daemon.up()?;
    pss(daemon.pid()?)
}

/// `Pss` of `/proc/PID/smaps_rollup`, in KB.
fn pss(pid: i32) -> io::Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.strip_suffix("kB"));
    pss.and_then(|pss| pss.trim().parse().ok()).ok_or_else(|| io::Error::other("no Pss"))
}
