//! `GET /v1/events`: server-sent events.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::unfold;
use tokio::time::timeout;

use super::context::{Closing, Context};
use super::input::{LastEventId, Query};
use super::output::EventStream;
use crate::api::EventsQuery;
use crate::daemon::disk::Disk;
use crate::daemon::{EventReader, EventRecord};
use crate::error::Failure;
use crate::slot_name::project_of;

/// A line that clients leave out, by which both sides see that the other is there.
const SIGN_OF_LIFE: &str = ":\n\n";

struct Feed {
    reader: EventReader,
    disk: Disk,
    closing: Closing,
    keep_alive: Duration,
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
    let (reader, disk) = (hub.after(from), context.daemon.shared.disk.clone());
    let Context { closing, limits, .. } = context;
    let (keep_alive, stage) = (limits.keep_alive, Stage::New);
    let feed = Feed { reader, disk, closing, keep_alive, query, stage };
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
                // Who hears of it can rely on it, as on an answer.
                self.disk.has_caught_up_or_hangs().await;
                return Some(chunk);
            }
            if records.is_empty() && self.stage == Stage::Going {
                return Some(SIGN_OF_LIFE.to_owned());
            }
        }
    }

    /// Waits for records; there are none when a sign of life is due, or at the end.
    async fn wait(&mut self) -> Vec<Arc<EventRecord>> {
        tokio::select! {
            biased;
            records = timeout(self.keep_alive, self.reader.next()) => records.unwrap_or_default(),
            () = self.closing.asked() => {
                self.stage = Stage::Last;
                Vec::new()
            }
        }
    }

    fn wants(&self, record: &EventRecord) -> bool {
        let EventsQuery { slot, project, .. } = &self.query;
        slot.as_ref().is_none_or(|slot| **slot == *record.slot)
            && project.as_ref().is_none_or(|project| project_of(&record.slot) == project)
    }
}

fn sent(record: &EventRecord) -> String {
    let mut text = String::with_capacity(record.line.len() + 40);
    // Cannot fail: it is a string.
    let _ = write!(text, "id: {}\ndata: {}\n\n", record.seq, record.line);
    text
}

#[cfg(test)]
mod tests {
    use worker_core::{Event, SlotId};

    use super::*;
    use crate::daemon::EventHub;
    use crate::driver::Notice;

    fn hub(slots: &[&str]) -> Arc<EventHub> {
        let hub = Arc::new(EventHub::default());
        slots.iter().for_each(|slot| add(&hub, slot));
        hub
    }

    fn add(hub: &EventHub, slot: &str) {
        let notice = Notice {
            time: jiff::Timestamp::UNIX_EPOCH,
            slot: SlotId::new(0),
            run: None,
            pid: None,
            spawn_error: None,
            event: Event::Stopped,
        };
        hub.add(&slot.into(), &notice);
    }

    fn feed(hub: &Arc<EventHub>, query: EventsQuery) -> Feed {
        let (reader, closing) = (hub.after(0), Closing::default());
        let disk = Disk::start().unwrap();
        Feed {
            reader,
            disk,
            closing,
            keep_alive: Duration::from_millis(1),
            query,
            stage: Stage::New,
        }
    }

    async fn rest(feed: &mut Feed) -> String {
        let mut text = String::new();
        while let Some(chunk) = feed.chunk().await {
            text.push_str(&chunk);
        }
        text
    }

    fn ids(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
    }

    #[tokio::test]
    async fn a_stream_that_does_not_follow_ends_with_what_is_kept() {
        let many = vec!["shop/api"; 200];
        let query = EventsQuery { follow: false, ..EventsQuery::default() };
        let text = rest(&mut feed(&hub(&many), query)).await;
        assert_eq!(ids(&text).len(), 200);
        assert!(text.starts_with(SIGN_OF_LIFE) && text.contains("\ndata: {\"v\":1,"), "{text}");
    }

    #[tokio::test]
    async fn only_the_slots_and_projects_that_were_asked_for_are_told_of() {
        let hub = hub(&["shop/api", "shop/web", "shopping/api"]);
        let of = |slot: Option<&str>, project: Option<&str>| EventsQuery {
            slot: slot.map(str::to_owned),
            project: project.map(str::to_owned),
            follow: false,
        };
        for (query, expected) in [
            (of(Some("shop/web"), None), vec!["2"]),
            (of(None, Some("shop")), vec!["1", "2"]),
            (of(Some("shop/api"), Some("shopping")), vec![]),
        ] {
            let text = rest(&mut feed(&hub, query)).await;
            assert_eq!(ids(&text), expected);
        }
    }

    #[tokio::test]
    async fn a_stream_that_follows_shows_that_it_lives_and_ends_when_the_server_closes() {
        let hub = hub(&[]);
        let mut feed = feed(&hub, EventsQuery::default());
        assert_eq!(feed.chunk().await.unwrap(), SIGN_OF_LIFE, "at once");
        assert_eq!(feed.chunk().await.unwrap(), SIGN_OF_LIFE, "nothing happens");
        add(&hub, "shop/api");
        assert_eq!(ids(&feed.chunk().await.unwrap()), ["1"]);
        add(&hub, "shop/api");
        feed.closing.ask();
        assert_eq!(ids(&rest(&mut feed).await), ["2"], "what is there is still told");
    }
}
