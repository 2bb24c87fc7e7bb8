//! Several logs as one, by time.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;

use super::record::Record;
use super::stream::LogStream;

/// The records of several logs, by time. Records of one log stay in their order, also where the wall
/// clock was set back.
#[derive(Debug)]
pub struct Merged {
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    stream: LogStream,
    read: VecDeque<Record>,
}

impl Merged {
    /// Of these logs.
    #[must_use]
    pub fn new(streams: Vec<LogStream>) -> Self {
        let source = |stream| Source { stream, read: VecDeque::new() };
        Self { sources: streams.into_iter().map(source).collect() }
    }

    /// The next records, at least one, each with the number of its log, counted from 0. None at the
    /// end of all. Cancel safe.
    ///
    /// # Errors
    ///
    /// If a log cannot be read. The others can be, if it is asked again.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> io::Result<Option<Vec<(usize, Record)>>> {
        loop {
            for source in self.sources.iter_mut().filter(|source| source.read.is_empty()) {
                source.read = source.stream.read().await?.into();
            }
            let batch = self.take();
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
            if !self.sources.iter().any(|source| source.stream.can_grow()) {
                return Ok(None);
            }
            self.grown().await?;
        }
    }

    /// As many as are known to come next: until one log, of those that had any, has no more.
    fn take(&mut self) -> Vec<(usize, Record)> {
        let mut batch = Vec::new();
        let had_any = |source: &&mut Source| !source.read.is_empty();
        let count = self.sources.iter_mut().filter(had_any).count();
        while self.sources.iter_mut().filter(had_any).count() == count {
            let heads = self.sources.iter_mut().enumerate();
            let heads = heads.filter_map(|(at, it)| Some((it.read.front()?.time(), at)));
            let Some((_, at)) = heads.min() else { break };
            batch.extend(self.sources[at].read.pop_front().map(|record| (at, record)));
        }
        batch
    }

    /// Waits until one of those that can grow has.
    async fn grown(&self) -> io::Result<()> {
        let growing = self.sources.iter().filter(|source| source.stream.can_grow());
        let mut all: Vec<_> = growing.map(|source| Box::pin(source.stream.grown())).collect();
        poll_fn(|context| {
            let mut polls = all.iter_mut().map(|grown| grown.as_mut().poll(context));
            polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }
}
