//! `GET /v1/events`: server-sent events.

use std::fmt::Write;

use futures_util::stream::unfold;
use tokio::time::timeout;

use super::context::Context;
use super::input::{LastEventId, Query};
use super::operations::is_of;
use super::output::EventStream;
use crate::api::EventsQuery;
use crate::daemon::{EventReader, EventRecord};
use crate::error::Failure;

/// A line that clients leave out, by which both sides see that the other is there.
const SIGN_OF_LIFE: &str = ":\n\n";

struct Feed {
    context: Context,
    reader: EventReader,
    query: EventsQuery,
    stage: Stage,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is sent yet: the client is to see that it is connected.
    New,
    Going,
    /// What is there is to be sent still.
    Last,
}

pub(super) async fn stream_events(
    context: Context,
    (Query(query), LastEventId(last)): (Query<EventsQuery>, LastEventId),
) -> Result<EventStream, Failure> {
    let hub = context.daemon.events();
    let from = last.unwrap_or(if query.follow { hub.latest() } else { 0 });
    let reader = hub.after(from);
    let feed = Feed { context, reader, query, stage: Stage::New };
    Ok(EventStream::of(unfold(feed, |mut feed| async { feed.chunk().await.zip(Some(feed)) })))
}

impl Feed {
    /// What is sent next. None at the end.
    async fn chunk(&mut self) -> Option<String> {
        if self.stage == Stage::New {
            self.stage = if self.query.follow { Stage::Going } else { Stage::Last };
            return Some(SIGN_OF_LIFE.to_owned());
        }
        loop {
            let records = match self.stage {
                Stage::Last => Some(self.reader.read()).filter(|records| !records.is_empty())?,
                Stage::New | Stage::Going => self.wait().await,
            };
            let chunk: String =
                records.iter().filter(|it| self.wants(it)).map(|it| sent(it)).collect();
            if !chunk.is_empty() {
                return Some(chunk);
            }
            if records.is_empty() && self.stage == Stage::Going {
                return Some(SIGN_OF_LIFE.to_owned());
            }
        }
    }

    /// Waits for records; there are none when a sign of life is due, or at the end.
    async fn wait(&mut self) -> Vec<std::sync::Arc<EventRecord>> {
        let keep_alive = self.context.limits.keep_alive;
        tokio::select! {
            biased;
            records = timeout(keep_alive, self.reader.next()) => records.unwrap_or_default(),
            () = self.context.closing.asked() => {
                self.stage = Stage::Last;
                Vec::new()
            }
        }
    }

    fn wants(&self, record: &EventRecord) -> bool {
        let EventsQuery { slot, project, .. } = &self.query;
        slot.as_ref().is_none_or(|slot| *slot == record.slot)
            && project.as_ref().is_none_or(|project| is_of(&record.slot, project))
    }
}

fn sent(record: &EventRecord) -> String {
    let mut text = String::with_capacity(record.line.len() + 40);
    // Cannot fail: it is a string.
    let _ = write!(text, "id: {}\ndata: {}\n\n", record.seq, record.line);
    text
}
