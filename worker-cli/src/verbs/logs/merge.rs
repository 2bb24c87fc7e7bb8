//! Several logs as one, in the order of time.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::newcomers::Newcomers;
use crate::client::Lines;
use crate::error::Failure;
use crate::logs::LogLine;

/// Lines that are followed are put in order if they come no further apart than this.
const TOGETHER: Duration = Duration::from_millis(20);

/// So many lines are put in order at once, and so many may wait to be shown.
const MOST: usize = 1024;

/// One log.
#[derive(Debug)]
pub(super) struct Source {
    lines: Lines,
    /// The next line, which was read ahead.
    next: Option<Entry>,
}

/// A line as it came, and what it says.
#[derive(Debug)]
struct Entry {
    raw: String,
    line: LogLine,
}

impl Source {
    /// A log that begins with the next line.
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines, next: None }
    }

    async fn advance(&mut self) -> Result<(), Failure> {
        self.next = read(&mut self.lines).await?;
        Ok(())
    }
}

impl Entry {
    fn time(&self) -> &str {
        match &self.line {
            LogLine::Line { time, .. } | LogLine::Mark { time, .. } => time,
        }
    }
}

/// The next line that can be understood.
async fn read(lines: &mut Lines) -> Result<Option<Entry>, Failure> {
    while let Some(raw) = lines.next().await? {
        if let Ok(line) = serde_json::from_str(&raw) {
            return Ok(Some(Entry { raw, line }));
        }
    }
    Ok(None)
}

/// Shows all lines of logs that have an end, as long as somebody reads.
///
/// # Errors
///
/// [`Failure`] if a log breaks off, or of `show`.
pub(super) async fn merged(
    mut sources: Vec<Source>,
    mut show: impl FnMut(&str, &LogLine) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    for source in &mut sources {
        source.advance().await?;
    }
    loop {
        // Times are of one format, so they compare as text.
        let has_next = sources.iter_mut().filter(|source| source.next.is_some());
        let first = has_next.min_by(|one, other| time(one).cmp(time(other)));
        let Some(source) = first else { return Ok(()) };
        if let Some(entry) = source.next.take()
            && !show(&entry.raw, &entry.line)?
        {
            return Ok(());
        }
        source.advance().await?;
    }
}

fn time(source: &Source) -> &str {
    source.next.as_ref().map_or("", Entry::time)
}

/// Shows lines as they come, those of newcomers too; answers whether the logs ended, rather than that
/// nobody reads any more. Those that come together are put in order.
///
/// # Errors
///
/// [`Failure`] if a log breaks off, or of `show`.
pub(super) async fn followed(
    sources: Vec<Source>,
    newcomers: Newcomers,
    mut show: impl FnMut(&str, &LogLine) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let (sender, mut entries) = channel(MOST);
    for source in sources {
        tokio::spawn(pass_on(source.lines, sender.clone()));
    }
    tokio::spawn(let_in(newcomers, sender));
    loop {
        let batch = together(&mut entries).await?;
        if batch.is_empty() {
            return Ok(true);
        }
        for entry in batch {
            if !show(&entry.raw, &entry.line)? {
                return Ok(false);
            }
        }
    }
}

async fn let_in(mut newcomers: Newcomers, sender: Sender<Result<Entry, Failure>>) {
    while let Some(lines) = newcomers.next().await.transpose() {
        match lines {
            Ok(lines) => drop(tokio::spawn(pass_on(lines, sender.clone()))),
            Err(failure) => return drop(sender.send(Err(failure)).await),
        }
    }
}

async fn pass_on(mut lines: Lines, sender: Sender<Result<Entry, Failure>>) {
    while let Some(entry) = read(&mut lines).await.transpose() {
        let is_last = entry.is_err();
        if sender.send(entry).await.is_err() || is_last {
            return;
        }
    }
}

/// The next lines in order; none after the last.
async fn together(entries: &mut Receiver<Result<Entry, Failure>>) -> Result<Vec<Entry>, Failure> {
    let Some(first) = entries.recv().await else { return Ok(Vec::new()) };
    let mut batch = vec![first?];
    while batch.len() < MOST
        && let Ok(Some(entry)) = timeout(TOGETHER, entries.recv()).await
    {
        batch.push(entry?);
    }
    batch.sort_by(|one, other| one.time().cmp(other.time()));
    Ok(batch)
}
