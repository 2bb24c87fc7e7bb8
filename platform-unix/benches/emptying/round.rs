//! One round, in a process of its own.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::{bare, ours};

/// By this word a process is told that it is to carry out a round.
pub(crate) const WORD: &str = "round";

/// Who empties the tree.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Ours,
    Bare,
}

/// By which means.
pub(crate) enum Means {
    Subreaper,
    /// In a cgroup below this folder.
    Cgroup {
        home: PathBuf,
    },
}

/// The time of a round.
pub(crate) fn time(side: Side, means: &Means) -> io::Result<Duration> {
    let mut round = Command::new(std::env::current_exe()?);
    round.args([WORD, side.name()]).args(means.home());
    #[expect(clippy::disallowed_methods, reason = "no platform is in this process")]
    let output = round.output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let nanos = printed.trim().parse().map_err(|_| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        io::Error::other(format!("a round failed: {printed}{complaint}"))
    })?;
    Ok(Duration::from_nanos(nanos))
}

/// Prints the time that it takes.
pub(crate) fn carry_out(side: Side, means: Means) -> io::Result<()> {
    let time = match (side, means) {
        (Side::Ours, means) => ours::empty(&means),
        (Side::Bare, Means::Subreaper) => bare::empty_by_subreaper(),
        (Side::Bare, Means::Cgroup { home }) => bare::empty_by_cgroup(&home),
    }?;
    println!("{}", time.as_nanos());
    Ok(())
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "bare",
        }
    }

    pub(crate) fn from_name(name: &str) -> io::Result<Self> {
        let side = [Self::Ours, Self::Bare].into_iter().find(|side| side.name() == name);
        side.ok_or_else(|| io::Error::other(format!("there is no side `{name}`")))
    }
}

impl Means {
    pub(crate) fn from_args(args: &[String]) -> Self {
        args.first().map_or(Self::Subreaper, |home| Self::Cgroup { home: home.into() })
    }

    fn home(&self) -> Option<&PathBuf> {
        match self {
            Self::Subreaper => None,
            Self::Cgroup { home } => Some(home),
        }
    }
}
