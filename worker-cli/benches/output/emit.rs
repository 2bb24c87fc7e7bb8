//! The child: numbered lines, as fast as it can.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// Makes this program the child.
pub(crate) const ARGUMENT: &str = "emit";

/// The length of a line, with its end.
pub(crate) const LINE: usize = 100;

/// What the child writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) lines: u64,
    /// How many bytes it writes at once.
    pub(crate) block: usize,
}

impl Load {
    /// In the blocks of a program that buffers its output: 1 GB.
    pub(crate) const BLOCKS: Self = Self { lines: 10_000_000, block: 64 * 1024 };

    /// Each line by itself, as many runtimes do: 100 MB.
    pub(crate) const LINES: Self = Self { lines: 1_000_000, block: LINE };

    pub(crate) const fn bytes(self) -> u64 {
        self.lines * LINE as u64
    }
}

/// Is the child if these arguments say so.
pub(crate) fn emit_if_asked(mut args: impl Iterator<Item = String>) -> Option<io::Result<()>> {
    args.next().filter(|word| word == ARGUMENT)?;
    let mut number = || args.next()?.parse().ok();
    let (lines, block) = (number()?, number()?);
    Some(emit(Load { lines, block: usize::try_from(block).ok()? }))
}

fn emit(load: Load) -> io::Result<()> {
    // Not `io::stdout`, which would make blocks of its own.
    let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut block = Vec::with_capacity(load.block + LINE);
    let mut number = Number::default();
    for _ in 0..load.lines {
        block.extend(number.line());
        number.increase();
        if block.len() >= load.block {
            stdout.write_all(&block)?;
            block.clear();
        }
    }
    stdout.write_all(&block)
}

/// Counts lines in decimal digits, which costs less than formatting each.
pub(crate) struct Number {
    line: [u8; LINE],
}

impl Default for Number {
    fn default() -> Self {
        let mut line = [b'0'; LINE];
        line[LINE - 1] = b'\n';
        Self { line }
    }
}

impl Number {
    /// The line with this number, and its end.
    pub(crate) const fn line(&self) -> &[u8; LINE] {
        &self.line
    }

    pub(crate) fn increase(&mut self) {
        for digit in self.line[..LINE - 1].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }
}
