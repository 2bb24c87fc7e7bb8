//! Signals to a supervisor itself: to `worker run`, and to the daemon.

mod stops;

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use worker_core::Signal;
use worker_platform_unix::signal_number;

pub(crate) use self::stops::{Source, Stops};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caught {
    /// End what is supervised.
    Stop(Signal),
    /// Tell what is supervised.
    Forward(Signal),
    /// Ctrl-Z.
    Pause,
    /// `fg`.
    Resume,
}

const CAUGHT: [Caught; 9] = [
    Caught::Stop(Signal::Term),
    Caught::Stop(Signal::Int),
    Caught::Stop(Signal::Hup),
    Caught::Forward(Signal::Usr1),
    Caught::Forward(Signal::Usr2),
    Caught::Forward(Signal::Quit),
    Caught::Forward(Signal::Winch),
    Caught::Pause,
    Caught::Resume,
];

/// Listens to signals from its creation on.
pub(crate) struct Signals {
    streams: Vec<(Caught, Stream)>,
}

/// The signals that `worker` answers on behalf of its job.
pub(crate) fn job_signals() -> impl Iterator<Item = Signal> {
    CAUGHT.into_iter().map(Caught::signal)
}

impl Signals {
    /// Listens to all but those that were ignored when we were started: `nohup` means it. PID 1
    /// cannot be stopped, so it does not pause either.
    ///
    /// # Errors
    ///
    /// If the runtime cannot listen.
    pub(crate) fn listen() -> io::Result<Self> {
        let ignored = ignored_at_start();
        let mut streams = Vec::new();
        for caught in CAUGHT {
            let Some(number) = signal_number(caught.signal()) else { continue };
            let is_vain = caught == Caught::Pause && std::process::id() == 1;
            if ignored & mask(number) == 0 && !is_vain {
                streams.push((caught, signal(SignalKind::from_raw(number))?));
            }
        }
        survive_file_limit(ignored)?;
        Ok(Self { streams })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Caught {
        poll_fn(|context| {
            let caught = self.streams.iter_mut().find_map(|(caught, stream)| {
                stream.poll_recv(context).is_ready().then_some(*caught)
            });
            caught.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Caught {
    /// What this signal asks for.
    pub(crate) fn by(signal: Signal) -> Option<Self> {
        CAUGHT.into_iter().find(|caught| caught.signal() == signal)
    }

    const fn signal(self) -> Signal {
        match self {
            Self::Stop(signal) | Self::Forward(signal) => signal,
            Self::Pause => Signal::Tstp,
            Self::Resume => Signal::Cont,
        }
    }
}

/// With a handler for SIGXFSZ a limit on the size of files is an error of writing, as a full disk is,
/// and not the end of us. What is spawned has the default again.
fn survive_file_limit(ignored: u64) -> io::Result<()> {
    match signal_number(Signal::Xfsz) {
        Some(number) if ignored & mask(number) == 0 => {
            signal(SignalKind::from_raw(number)).map(drop)
        }
        Some(_) | None => Ok(()),
    }
}

/// The bit of a signal in the masks of the kernel.
const fn mask(number: i32) -> u64 {
    1 << (number - 1)
}

/// `SigIgn` of proc_pid_status(5), where there is one.
fn ignored_at_start() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status)
}

fn ignored(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored("Name:\tworker\nSigIgn:\t0000000000001001\n"), mask(1) | mask(13));
        assert_eq!(ignored(""), 0);
    }
}
