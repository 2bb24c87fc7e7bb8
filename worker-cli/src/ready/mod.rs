//! Readiness probes: one file for each kind.

mod cadence;
mod exec;
mod http;
mod listener;
mod log;
mod notify;
mod once;
mod tcp;

use std::io;

use worker_core::{Owner, Report, RunId};
use worker_platform_unix::{Command, Output, UnixPlatform};

use self::log::LogWatch;
pub(crate) use self::log::without_escapes;
use self::notify::NotifySocket;
use crate::driver::Reporter;
use crate::logs::Tap;
use crate::probe::Probe;

pub(crate) use self::once::ask_once;

/// What a probe looks at.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) platform: &'a UnixPlatform,
    pub(crate) run: RunId,
    /// The first port of the run; none if it has no ports.
    pub(crate) port: Option<u16>,
}

/// What has to be there before the leader is spawned, so that its probe can be answered.
#[derive(Debug)]
pub(crate) enum Means {
    /// Nothing.
    None,
    /// The socket for `READY=1`.
    Notify(NotifySocket),
    /// The pipes that its output goes through.
    Log(LogWatch),
}

impl Means {
    /// Prepares for a probe. Pipes that it needs go into `outputs`: stdout, then stderr.
    pub(crate) fn for_probe(probe: Option<&Probe>, outputs: &mut [Output; 2]) -> io::Result<Self> {
        match probe {
            Some(Probe::Notify) => NotifySocket::bind().map(Self::Notify),
            Some(Probe::Log(pattern)) => LogWatch::start(pattern, outputs).map(Self::Log),
            Some(Probe::Http { .. } | Probe::Tcp { .. } | Probe::Exec(_)) | None => Ok(Self::None),
        }
    }

    /// Prepares for a probe of a run whose output somebody else carries, and shows to the tap.
    pub(crate) fn for_carried(probe: Option<&Probe>) -> io::Result<(Self, Option<Tap>)> {
        match probe {
            Some(Probe::Log(pattern)) => {
                let (watch, tap) = LogWatch::tapped(pattern);
                Ok((Self::Log(watch), Some(tap)))
            }
            Some(Probe::Notify) => Ok((NotifySocket::bind().map(Self::Notify)?, None)),
            Some(Probe::Http { .. } | Probe::Tcp { .. } | Probe::Exec(_)) | None => {
                Ok((Self::None, None))
            }
        }
    }
}

/// Probes until the run is ready, and reports each new answer.
pub(crate) async fn await_ready(
    probe: &Probe,
    means: &Means,
    target: Target<'_>,
    helper: impl Fn(&[String]) -> Result<Command, worker_core::SpawnError>,
    reports: &Reporter,
) {
    let mut answers = Answers { last: None, reports };
    match (probe, means) {
        (Probe::Http { port, path }, _) => {
            http::await_ready(target, port.or(target.port), path, &mut answers).await;
        }
        (Probe::Tcp { port }, _) => {
            tcp::await_ready(target, port.or(target.port), &mut answers).await;
        }
        (Probe::Exec(words), _) => {
            exec::await_ready(target, || helper(words), &mut answers).await;
        }
        (Probe::Notify, Means::Notify(socket)) => socket.await_ready(target, &mut answers).await,
        (Probe::Log(_), Means::Log(watch)) => watch.await_ready(&mut answers).await,
        (Probe::Notify | Probe::Log(_), Means::None | Means::Notify(_) | Means::Log(_)) => {}
    }
}

/// The answers that a probe got.
struct Answers<'a> {
    last: Option<Owner>,
    reports: &'a Reporter,
}

impl Answers<'_> {
    /// Reports whose answer it was, if that is new. True if the probe has done its work: only a
    /// stranger's answer is followed by another question. `what` says what a stranger did.
    fn tell(&mut self, owner: Owner, what: impl FnOnce() -> String) -> bool {
        let is_new = self.last.replace(owner) != Some(owner);
        if is_new {
            self.reports.report(Report::Ready(owner));
        }
        if is_new && owner == Owner::Stranger {
            tracing::warn!("not ready yet: {}, which is not part of it", what());
        }
        owner != Owner::Stranger
    }
}
