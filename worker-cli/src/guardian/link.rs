//! The socket between a guardian and its supervisor, one byte per word.
//!
//! The guardian sends numbers of signals. A signal that is sent to every process of the service, or
//! to everything called `worker`, reaches both processes; because the guardian's come this way, the
//! supervisor can tell that it is the same one twice.

use std::future::pending;
use std::io;

use tokio::net::UnixStream;
use worker_core::Signal;
use worker_platform_unix::guardian::inherited_socket;
use worker_platform_unix::signal_from_number;

use super::VARIABLE;
use super::service::{Service, Standing};

/// What a supervisor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// Signals are to come by the link from here on.
    Listening,
    /// For the service manager.
    Standing(Standing),
    /// Processes were left behind on purpose. Said last.
    Released,
}

impl Report {
    const ALL: [(Self, u8); 4] = [
        (Self::Listening, b'l'),
        (Self::Standing(Standing::Ready), b'r'),
        (Self::Standing(Standing::Stopping), b's'),
        (Self::Released, b'x'),
    ];

    /// The report that a byte stands for.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == byte).map(|&(report, _)| report)
    }

    fn byte(self) -> Option<u8> {
        Self::ALL.iter().find(|(known, _)| *known == self).map(|&(_, byte)| byte)
    }
}

/// What a guardian tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// This signal was sent to it.
    Signal(Signal),
    /// It was killed.
    Gone,
}

/// The guardian of this process, if it has one. It speaks to the service manager, which listens to
/// the process that it started; without a guardian that is ourselves.
#[derive(Debug)]
pub struct Guardian {
    link: Option<UnixStream>,
    service: Service,
    told: Option<Standing>,
}

impl Guardian {
    /// Finds the guardian, and has it send signals by the link from here on: signals to ourselves
    /// must be listened to already. To be called once in a process, in a tokio runtime with io
    /// enabled.
    ///
    /// # Errors
    ///
    /// If the runtime cannot listen to the link.
    pub fn of_this_process() -> io::Result<Self> {
        let link = inherited_socket(VARIABLE).map(std::os::unix::net::UnixStream::from);
        let link = link.map(|link| link.set_nonblocking(true).and(Ok(link))).transpose()?;
        let link = link.map(UnixStream::from_std).transpose()?;
        let service = if link.is_some() { Service::none() } else { Service::from_environment() };
        let guardian = Self { link, service, told: None };
        guardian.report(Report::Listening);
        Ok(guardian)
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.link.is_some()
    }

    /// The next word; none ever comes where there is no guardian. Cancel safe.
    pub async fn next(&mut self) -> Word {
        let Some(link) = &self.link else { return pending().await };
        let word = next_word(link).await;
        if word == Word::Gone {
            self.link = None;
        }
        word
    }

    /// What is supervised is ready.
    pub fn tell_ready(&mut self) {
        self.tell(Standing::Ready);
    }

    /// It is being ended.
    pub fn tell_stopping(&mut self) {
        self.tell(Standing::Stopping);
    }

    /// Processes were left behind on purpose: they are to outlive the guardian, too. Holds only if
    /// this process exits by itself after that.
    pub fn tell_released(&self) {
        self.report(Report::Released);
    }

    /// Tells what was not told last: each run becomes ready, and to wake the guardian costs the next
    /// one some of its start.
    fn tell(&mut self, standing: Standing) {
        if self.told.replace(standing) != Some(standing) {
            self.report(Report::Standing(standing));
            self.service.tell(standing);
        }
    }

    fn report(&self, report: Report) {
        if let (Some(link), Some(byte)) = (&self.link, report.byte()) {
            // Asks the kernel, where tokio's own `try_write` would wait to hear that there is room.
            // Fails where the guardian is gone, which is then the next word.
            let _ = rustix::io::write(link, &[byte]);
        }
    }
}

async fn next_word(link: &UnixStream) -> Word {
    loop {
        let mut number = [0];
        match link.try_read(&mut number) {
            Ok(1..) => return Word::Signal(signal_from_number(i32::from(number[0]))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return Word::Gone,
        }
        if link.readable().await.is_err() {
            return Word::Gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_has_a_byte_of_its_own() {
        for (report, byte) in Report::ALL {
            assert_eq!(report.byte(), Some(byte));
            assert_eq!(Report::from_byte(byte), Some(report));
        }
        assert_eq!(Report::from_byte(0), None);
    }
}
