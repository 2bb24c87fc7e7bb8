//! The child: a server that takes a while to begin, and notes when.
#![expect(clippy::disallowed_methods, reason = "it stands for a program that is busy starting")]

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Makes this program the child.
pub(crate) const ARGUMENT: &str = "serve";

/// Names the file that has the notes.
pub(crate) const NOTES: &str = "NOTES";

/// When it was able to answer, and when it gave its first good answer, if it was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    pub(crate) listens: Duration,
    pub(crate) answers: Option<Duration>,
}

/// `CLOCK_MONOTONIC`, which all processes share.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Answers whatever it is asked.
pub(crate) fn serve() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let port: u16 = variable("PORT")?.parse().map_err(io::Error::other)?;
    std::thread::sleep(Duration::from_millis(u64::from(std::process::id() % 40)));
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let mut notes = Notes { listens: now(), answers: None };
    let path = variable(NOTES)?;
    notes.write(&path)?;
    loop {
        let (mut stream, _) = listener.accept()?;
        let mut request = [0; 4096];
        let asked = stream.read(&mut request)?;
        if asked > 0 && notes.answers.is_none() {
            notes.answers = Some(now());
            notes.write(&path)?;
        }
        // Whoever asked may have gone.
        drop(
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        );
    }
}

impl Notes {
    /// In nanoseconds; a reader sees all of it or nothing.
    fn write(self, path: &str) -> io::Result<()> {
        let Self { listens, answers } = self;
        let new = format!("{path}.new");
        fs::write(
            &new,
            format!("{} {}", listens.as_nanos(), answers.unwrap_or_default().as_nanos()),
        )?;
        fs::rename(&new, path)
    }

    /// What the child of the latest round has written.
    pub(crate) fn read(path: &std::path::Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let parse = |word: &str| word.parse().map(Duration::from_nanos).map_err(io::Error::other);
        let (listens, answers) =
            text.split_once(' ').ok_or_else(|| io::Error::other("no notes"))?;
        let answers = Some(parse(answers)?).filter(|time| !time.is_zero());
        Ok(Self { listens: parse(listens)?, answers })
    }
}
