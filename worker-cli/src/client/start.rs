//! Reaching the daemon, and starting one where none answers.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;
use worker_platform_unix::detach::spawn_detached;

use super::reach::reach;
use super::{Client, Start};
use crate::api::ErrorAnswer;
use crate::daemon::make_state_dir;
use crate::error::{Code, Failure};
use crate::socket::Place;

/// How long a daemon may take until it listens. It may have to end what another one left first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A longer log begins anew; one that is older is kept.
const LONGEST_LOG: u64 = 1 << 20;

/// So much of what a daemon said before it ended is passed on.
const LAST_WORDS: u64 = 2048;

/// So long may be what a daemon tells when it is started.
const LONGEST_REPORT: u64 = 1 << 16;

/// Those of whoever started us, not of a daemon that lives on.
const VARIABLES_OF_SERVICES: [&str; 4] =
    ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

impl Client {
    /// A connection to the daemon.
    pub(super) async fn connect(&self) -> Result<UnixStream, Failure> {
        if let Some(stream) = reach(&self.place).await? {
            return Ok(stream);
        }
        let Start::Program(program) = &self.start else { return Err(none_runs()) };
        let _turn = take_turn(&self.place)?;
        if let Some(stream) = reach(&self.place).await? {
            return Ok(stream); // Whoever had the turn before us has started one.
        }
        start(&self.place, program).await?;
        reach(&self.place).await?.ok_or_else(none_runs)
    }
}

fn none_runs() -> Failure {
    Failure::new(Code::NoDaemon, "no daemon runs").hint("start something: worker up")
}

/// Waits for other clients that start a daemon. Lets go when dropped, or when this process ends.
fn take_turn(place: &Place) -> Result<File, Failure> {
    let failed =
        |path: &Path, error: io::Error| not_started(&format!("{}: {error}", path.display()));
    make_state_dir(place.state_dir()).map_err(|error| failed(place.state_dir(), error))?;
    let path = place.state_dir().join("start.lock");
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let locked = opened.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| failed(&path, error))
}

/// Starts a daemon of its own session, and waits until it listens.
async fn start(place: &Place, program: &Path) -> Result<(), Failure> {
    let (log, before) = open_log(&place.log())
        .map_err(|error| not_started(&format!("{}: {error}", place.log().display())))?;
    let report = spawn(place, program, log).map_err(|error| not_started(&error.to_string()))?;
    let mut line = String::new();
    let mut report = BufReader::new(report.take(LONGEST_REPORT));
    // A pipe that cannot be read says nothing, as one that was closed.
    let heard = timeout(PATIENCE, report.read_line(&mut line)).await;
    match serde_json::from_str::<ErrorAnswer>(&line) {
        Ok(ErrorAnswer { error, .. }) => {
            let failure = not_started(&error.message);
            Err(Failure { hint: error.hint.or(failure.hint.clone()), ..failure })
        }
        Err(_) if !line.is_empty() => Ok(()),
        Err(_) if heard.is_err() => Err(not_started(&slow(place))),
        Err(_) => Err(not_started(&ended(place, before))),
    }
}

fn spawn(place: &Place, program: &Path, log: File) -> io::Result<Receiver> {
    let (report, theirs) = io::pipe()?;
    let mut command = Command::new(program);
    command.arg0("worker");
    command.args(["daemon", "--detached"]);
    if !place.is_default() {
        command.arg("--state-dir").arg(place.state_dir());
    }
    VARIABLES_OF_SERVICES.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.current_dir("/").stdin(Stdio::null()).stdout(theirs).stderr(log);
    spawn_detached(&mut command)?;
    drop(command); // With it our end of what the daemon writes to.
    Receiver::from_owned_fd(report.into())
}

/// Opens the log to append to it; answers its length, too.
fn open_log(path: &Path) -> io::Result<(File, u64)> {
    let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let log = open()?;
    let length = log.metadata()?.len();
    if length <= LONGEST_LOG {
        return Ok((log, length));
    }
    std::fs::rename(path, path.with_extension("log.1"))?;
    Ok((open()?, 0))
}

fn slow(place: &Place) -> String {
    let log = place.log();
    format!("it does not listen after {} s; its log is {}", PATIENCE.as_secs(), log.display())
}

fn ended(place: &Place, before: u64) -> String {
    let log = place.log();
    let said = said_since(&log, before).unwrap_or_default();
    let said = if said.is_empty() { String::new() } else { format!(":\n{said}") };
    format!("it ended; its log is {}{said}", log.display())
}

fn said_since(log: &Path, before: u64) -> io::Result<String> {
    let mut log = File::open(log)?;
    let from = before.max(log.metadata()?.len().saturating_sub(LAST_WORDS));
    log.seek(SeekFrom::Start(from))?;
    let mut said = Vec::new();
    log.take(LAST_WORDS).read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

fn not_started(why: &str) -> Failure {
    Failure::new(Code::NoDaemon, format!("the daemon cannot be started: {why}"))
        .hint("start it in the foreground to see more: worker daemon")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_is_appended_to_and_begins_anew_when_it_is_long() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("daemon.log");
        let (mut log, before) = open_log(&path).unwrap();
        assert_eq!(before, 0);
        log.write_all(b"one\n").unwrap();
        let (mut log, before) = open_log(&path).unwrap();
        assert_eq!(before, 4);
        log.write_all(b"two\n").unwrap();
        assert_eq!(said_since(&path, before).unwrap(), "two");
        log.set_len(LONGEST_LOG + 1).unwrap();
        let (_, before) = open_log(&path).unwrap();
        assert_eq!(before, 0);
        let old = std::fs::metadata(scratch.path().join("daemon.log.1")).unwrap();
        assert_eq!(old.len(), LONGEST_LOG + 1);
    }
}
