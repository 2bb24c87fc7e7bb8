//! What a shim says about its work, through a pipe that the program it executes does not get.
//!
//! End-of-file without a word means that all went well. A word is one byte that says which step
//! failed, then the error number in four, in the order of this machine.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// A step of a shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// If it fails the program is executed all the same.
    Enter,
    Execute,
}

/// What became of the work of a shim.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Why it did not enter the cgroup.
    pub(crate) not_entered: Option<io::Error>,
    /// Why it did not execute the program.
    pub(crate) not_executed: Option<io::Error>,
}

/// Our end of the pipe.
#[derive(Debug)]
pub(crate) struct Report {
    reader: PipeReader,
}

const LENGTH: usize = 5;

impl Report {
    /// Waits until the shim has done its work.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with io enabled.
    pub(crate) async fn outcome(self) -> Outcome {
        let mut said = Vec::new();
        // Fails if there are no more descriptors, and then it cannot be known.
        if let Ok(mut receiver) = Receiver::from_owned_fd(OwnedFd::from(self.reader)) {
            let _ = receiver.read_to_end(&mut said).await;
        }
        Outcome::of(&said)
    }

    /// The same, waiting for so long at most.
    pub(crate) fn outcome_within(mut self, patience: Duration) -> Option<Outcome> {
        let deadline = Instant::now() + patience;
        let mut said = Vec::new();
        let mut buffer = [0; 2 * LENGTH];
        loop {
            let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok();
            let mut ready = [PollFd::from_borrowed_fd(self.reader.as_fd(), PollFlags::IN)];
            match poll(&mut ready, left.as_ref()) {
                Ok(0) => return None,
                Err(rustix::io::Errno::INTR) => continue,
                Ok(_) | Err(_) => {}
            }
            match self.reader.read(&mut buffer) {
                Ok(0) | Err(_) => return Some(Outcome::of(&said)),
                Ok(length) => said.extend_from_slice(&buffer[..length]),
            }
        }
    }
}

impl From<PipeReader> for Report {
    fn from(reader: PipeReader) -> Self {
        Self { reader }
    }
}

impl Outcome {
    fn of(said: &[u8]) -> Self {
        let error = |step: Step| {
            let words = said.chunks_exact(LENGTH);
            let word = words
                .filter(|word| word[0] == step.byte())
                .find_map(|word| word[1..].try_into().ok());
            word.map(|number| io::Error::from_raw_os_error(i32::from_ne_bytes(number)))
        };
        Self { not_entered: error(Step::Enter), not_executed: error(Step::Execute) }
    }
}

/// The word for a step that failed.
pub(super) fn word(step: Step, error: &io::Error) -> [u8; LENGTH] {
    let mut word = [step.byte(); LENGTH];
    word[1..].copy_from_slice(&error.raw_os_error().unwrap_or(libc::EINVAL).to_ne_bytes());
    word
}

impl Step {
    const fn byte(self) -> u8 {
        match self {
            Self::Enter => b'e',
            Self::Execute => b'x',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_means_that_all_went_well() {
        let outcome = Outcome::of(&[]);
        assert!(outcome.not_entered.is_none() && outcome.not_executed.is_none());
    }

    #[test]
    fn each_step_has_an_error_of_its_own() {
        let error = |number| io::Error::from_raw_os_error(number);
        let said = [word(Step::Enter, &error(13)), word(Step::Execute, &error(2))].concat();
        let outcome = Outcome::of(&said);
        assert_eq!(outcome.not_entered.unwrap().raw_os_error(), Some(13));
        assert_eq!(outcome.not_executed.unwrap().raw_os_error(), Some(2));
    }
}
