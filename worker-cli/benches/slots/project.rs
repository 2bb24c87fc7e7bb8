//! Slots that do nothing.

use std::fmt::Write;
use std::io;
use std::path::Path;

use crate::daemon::Daemon;
use crate::footprint;

/// `pause()` for ever.
#[rustfmt::skip]
pub(crate) const PAUSE: [u8; 9] = [
    0xb8, 34, 0, 0, 0,          // mov  eax, SYS_pause
    0x0f, 0x05,                 // syscall
    0xeb, 0xf7,                 // jmp  to the mov
];

/// So many are many.
pub(crate) const MANY: usize = 1000;

/// A daemon with many slots that run.
pub(crate) struct Crowd {
    pub(crate) daemon: Daemon,
    /// What they take, for people.
    pub(crate) footprint: String,
}

impl Crowd {
    pub(crate) fn start(program: &Path) -> io::Result<Self> {
        let daemon = Daemon::start("--cgroup=never")?;
        let footprint = footprint::report(&daemon, program)?;
        Ok(Self { daemon, footprint })
    }
}

/// So many slots as they stand in a `worker.toml`.
pub(crate) fn slots(count: usize, program: &Path) -> String {
    let program = program.display();
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "[slots.s{number}]\ncommand = [\"{program}\"]");
        text
    })
}
