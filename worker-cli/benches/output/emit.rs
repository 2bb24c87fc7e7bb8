//! The child: numbered lines, as fast as it can.

use std::io::{self, Write};

/// Makes this program the child.
pub(crate) const ARGUMENT: &str = "emit";

/// The length of a line, with its end.
pub(crate) const LINE: usize = 100;

/// 1 GB of them.
pub(crate) const LINES: u64 = 10_000_000;

/// What a program that buffers its output writes at once.
const BLOCK: usize = 64 * 1024;

pub(crate) fn emit() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut block = Vec::with_capacity(BLOCK + LINE);
    let mut number = Number::default();
    for _ in 0..LINES {
        block.extend(number.line());
        number.increase();
        if block.len() >= BLOCK {
            stdout.write_all(&block)?;
            block.clear();
        }
    }
    stdout.write_all(&block)?;
    stdout.flush()
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
