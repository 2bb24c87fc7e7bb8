//! The process of the daemon, from its lock to the last of its slots.

mod ending;
mod lock_wait;
mod log;
mod report;
mod session;

use std::io;

use worker_core::Settings;
use worker_platform_unix::allocator;

use self::report::Report;
use self::session::Session;
use super::http::{Listener, Server};
use super::{Daemon, Lock};
use crate::args::{Cgroup, DaemonArgs};
use crate::error::{Code, Failure};
use crate::guardian::Guardian;
use crate::signals::Signals;
use crate::socket::Place;
use crate::voice::{Style, Voice};
use crate::{journal, platform, run};

/// Says what `--cgroup` does not.
const CGROUP: &str = "WORKER_CGROUP";

/// Runs `worker daemon` until it was ended; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if it never listened.
pub fn serve(args: &DaemonArgs) -> Result<u8, Failure> {
    allocator::keep_heap_small();
    let mut report = Report::new(args.detached);
    let style = Style { quiet: args.quiet, json: args.json };
    let outcome = log::voice(style, args.detached)
        .map_err(|error| Failure::no_room(&error))
        .and_then(|voice| to_the_end(args, &voice, &mut report));
    report.failed(outcome.as_ref().err());
    outcome.map(|()| crate::exit_code::DONE)
}

fn to_the_end(args: &DaemonArgs, voice: &Voice, report: &mut Report) -> Result<(), Failure> {
    crate::logging::to(voice);
    let cgroup = cgroup(args.cgroup)?;
    let place = Place::of(&args.state)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::no_room(&error))?;
    let ending = runtime.block_on(async {
        let Some(lock) = lock_wait::lock(&place, args.detached).await? else {
            report.ready();
            return Ok(()); // Another one listens, which is what was wanted.
        };
        set_up(args, cgroup, &place, voice, lock).await?.run(report).await
    });
    voice.finish();
    // A write that hangs may; nothing is lost by leaving it.
    runtime.shutdown_background();
    ending
}

/// All but the slots. Signals are listened to from the first moment on, so that none is lost.
async fn set_up(
    args: &DaemonArgs,
    cgroup: Cgroup,
    place: &Place,
    voice: &Voice,
    lock: Lock,
) -> Result<Session, Failure> {
    let no_room = |error: io::Error| Failure::no_room(&error);
    let signals = Signals::listen().map_err(no_room)?;
    let guardian = Guardian::of_this_process().map_err(no_room)?;
    let journal = journal::begin(&args.state, voice);
    let platform = platform::set_up(cgroup, voice).map_err(no_room)?;
    if let Some(journal) = journal {
        platform.keep_journal(journal);
    }
    if let Err(error) = platform.raise_open_files() {
        voice.warn(&format!("it may open few files only: {error}"));
    }
    let listener = Listener::bind(place)?;
    let settings = Settings { seed: run::seed(), ..Settings::default() };
    let opened = Daemon::open(place.state_dir().to_owned(), platform.clone(), settings);
    let (daemon, driving) = opened.map_err(|error| unusable(place, &error))?;
    tokio::spawn(driving);
    let server = Server::new(daemon.clone());
    let (voice, socket) = (voice.clone(), place.socket());
    Ok(Session { daemon, platform, server, listener, socket, guardian, signals, voice, lock })
}

fn cgroup(given: Option<Cgroup>) -> Result<Cgroup, Failure> {
    let Some(named) = std::env::var_os(CGROUP).filter(|_| given.is_none()) else {
        return Ok(given.unwrap_or_default());
    };
    let named = named.to_string_lossy();
    clap::ValueEnum::from_str(&named, false).map_err(|_| {
        Failure::new(Code::Usage, format!("{CGROUP} is {named}: use auto, never or scope"))
    })
}

fn unusable(place: &Place, error: &io::Error) -> Failure {
    let folder = place.state_dir().display();
    Failure::new(Code::BadConfig, format!("the state folder cannot be used: {folder}: {error}"))
        .hint("name another one: --state-dir DIR")
}
