//! Starts the child again and again.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use worker_cli::api::{StartRequest, StopRequest};

use crate::child::{self, NOTES, Notes, now};
use crate::daemon::{Daemon, PROJECT};

const ROUNDS: usize = 50;
const AIM: Duration = Duration::from_millis(5);

/// Slots by the probes that they are asked by.
const PROBES: [(&str, &str); 2] = [("http", "http = \"/\""), ("tcp", "tcp = true")];

/// Lines for people.
pub(crate) fn report() -> io::Result<Vec<String>> {
    let daemon = Daemon::start("--cgroup=never")?;
    daemon.write(&slots(&daemon)?)?;
    PROBES.iter().map(|(slot, _)| line(&daemon, slot)).collect()
}

fn slots(daemon: &Daemon) -> io::Result<String> {
    let program = std::env::current_exe()?;
    let slot = |(name, probe): &(&str, &str)| {
        format!(
            "[slots.{name}]\ncommand = [{program:?}, {:?}]\nenv = {{ {NOTES} = {:?} }}\n\
             ports = \"auto\"\nready = {{ {probe} }}\n",
            child::ARGUMENT,
            daemon.folder().join(name),
        )
    };
    Ok(PROBES.iter().map(slot).collect())
}

fn line(daemon: &Daemon, slot: &str) -> io::Result<String> {
    let (mut since_listening, mut since_answer) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (notes, running) = round(daemon, slot)?;
        since_listening.push(running.saturating_sub(notes.listens));
        since_answer.extend(notes.answers.map(|answers| running.saturating_sub(answers)));
    }
    let mut line = format!(
        "{slot}: from the moment that the child listens until `start` is answered, {ROUNDS} rounds: {}",
        in_words(since_listening)
    );
    if since_answer.len() == ROUNDS {
        line += &format!("; from its first good answer: {}", in_words(since_answer));
    }
    Ok(line)
}

/// What the child noted, and when the slot was running.
fn round(daemon: &Daemon, slot: &str) -> io::Result<(Notes, Duration)> {
    let name = format!("{PROJECT}/{slot}");
    let request = StartRequest { config: Some(daemon.file()), ..StartRequest::default() };
    let notes = daemon.folder().join(slot);
    forget(&notes)?;
    daemon.ask(async |client| client.start(&name, &request).await)?;
    let running = now();
    let notes = await_notes(&notes)?;
    daemon.ask(async |client| client.stop(&name, StopRequest::default()).await)?;
    Ok((notes, running))
}

/// The child before this one has left some, unless there was none.
fn forget(notes: &Path) -> io::Result<()> {
    match fs::remove_file(notes) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// That it listens can be seen before it has noted so.
fn await_notes(notes: &Path) -> io::Result<Notes> {
    loop {
        match Notes::read(notes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::thread::yield_now(),
            read => return read,
        }
    }
}

fn in_words(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    let ratio = |time: Duration| time.as_secs_f64() / AIM.as_secs_f64();
    format!(
        "median {median:.1?}, worst {worst:.1?}; ratio {:.2} (median) {:.2} (worst) to the aim of {AIM:?}",
        ratio(median),
        ratio(worst),
    )
}
