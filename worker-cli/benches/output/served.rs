//! The same in a daemon, where somebody who follows does so over its API.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use worker_cli::api::{EventsQuery, LogsQuery, StartRequest};
use worker_cli::client::Client;
use worker_cli::error::{Code, Failure};

use crate::daemon::{Daemon, PROJECT};
use crate::emit::{ARGUMENT, LINE, Load};
use crate::stored::Follower;

const SLOT: &str = "writer";

/// The time until the slot is at rest, with all that it wrote in its log.
pub(crate) fn serve(load: Load, follower: Follower) -> io::Result<Duration> {
    let daemon = Daemon::start("--cgroup=never")?;
    daemon.write(&slot(load)?)?;
    let begun = Instant::now();
    let follower = daemon.ask(async |client| run(client, &daemon, follower).await)?;
    let took = begun.elapsed();
    check(&daemon, load)?;
    drop(follower);
    Ok(took)
}

fn slot(load: Load) -> io::Result<String> {
    let program = std::env::current_exe()?;
    let Load { lines, block } = load;
    Ok(format!(
        "[slots.{SLOT}]\ncommand = [{program:?}, \"{ARGUMENT}\", \"{lines}\", \"{block}\"]\n\
         restart = {{ when = \"never\" }}\n"
    ))
}

/// Answers whoever follows, who has not gone yet.
async fn run(
    client: &Client,
    daemon: &Daemon,
    follower: Follower,
) -> Result<Option<UnixStream>, Failure> {
    let name = format!("{PROJECT}/{SLOT}");
    let mut events =
        client.events(&EventsQuery { follow: true, ..Default::default() }, None).await?;
    let request = StartRequest { config: Some(daemon.file()), no_wait: true, ..Default::default() };
    client.start(&name, &request).await?;
    let follower = match follower {
        Follower::None => None,
        Follower::Asleep => Some(follow(client).map_err(|error| nobody_follows(&error))?),
    };
    while let Some(event) = events.next().await? {
        if event.line.contains("\"event\":\"stopped\"") {
            break;
        }
    }
    Ok(follower)
}

fn nobody_follows(error: &io::Error) -> Failure {
    Failure::new(Code::Failed, format!("nobody follows: {error}"))
}

/// Asks for what the slot has said and will say, and reads the beginning of the answer alone.
fn follow(client: &Client) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(client.place().socket())?;
    write!(
        stream,
        "GET /v1/slots/{PROJECT}%2F{SLOT}/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )?;
    let mut beginning = [0; 64];
    stream.read_exact(&mut beginning)?;
    if !beginning.starts_with(b"HTTP/1.1 200 ") {
        let said = String::from_utf8_lossy(&beginning).into_owned();
        return Err(io::Error::other(said));
    }
    Ok(stream)
}

/// The daemon keeps the latest part of a log, which must end with what the child has written last.
fn check(daemon: &Daemon, load: Load) -> io::Result<()> {
    let name = format!("{PROJECT}/{SLOT}");
    let last = daemon.ask(async |client| {
        let query = LogsQuery { lines: Some(1), ..LogsQuery::default() };
        client.logs(&name, &query).await?.next().await
    })?;
    let last = last.unwrap_or_default();
    if last.contains(&format!("\"{:0width$}\"", load.lines - 1, width = LINE - 1)) {
        return Ok(());
    }
    Err(io::Error::other(format!("the last line of the log is {last}")))
}
