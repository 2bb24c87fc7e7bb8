//! Shows how slots come along while a request of theirs is under way.
//!
//! On a terminal in place: what each waits for, how long, and the last line of its output.
//! Elsewhere a line for each turn.

mod hope;
mod track;

use std::io::{self, Stderr, stderr};
use std::pin::pin;
use std::time::Duration;

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Interval, interval};

use self::track::Track;
use super::screen::{Canvas, Page, is_lively, say, terminal_size};
use crate::api::{EventsQuery, LogsQuery};
use crate::client::{Client, Events};
use crate::error::{Code, Failure};
use crate::events::rfc3339;
use crate::logs::LogLine;

pub(super) use self::hope::hope;

/// How often what is shown in place is shown anew, for the time in it.
const FRAME: Duration = Duration::from_millis(100);

/// After Ctrl-C: 128 and the number of SIGINT, as shells count.
pub(super) const INTERRUPTED: u8 = 130;

/// What became of a request.
pub(super) enum Waited<T> {
    /// It was answered.
    Answered(T),
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// Carries a request out and shows meanwhile how these slots come along. Each has with it what makes
/// it ready, where that is known.
///
/// # Errors
///
/// [`Failure`] if the daemon cannot be reached, or Ctrl-C cannot be listened to.
pub(super) async fn attend<T>(
    client: &Client,
    slots: Vec<(String, Option<String>)>,
    request: impl Future<Output = T>,
) -> Result<Waited<T>, Failure> {
    let query = EventsQuery { follow: true, ..EventsQuery::default() };
    let mut events = Some(client.events(&query, None).await?);
    let mut stage = Stage::new(client, slots);
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| deaf(&error))?;
    let mut frames = interval(FRAME);
    let mut request = pin!(request);
    let outcome = loop {
        tokio::select! {
            biased;
            answer = &mut request => break Waited::Answered(answer),
            _ = interrupts.recv() => break Waited::Interrupted,
            event = next_event(&mut events) => stage.observe(event),
            Some((slot, line)) = stage.output.recv() => stage.hear(&slot, &line),
            () = next_frame(&mut frames, stage.canvas.is_some()) => {}
        }
        stage.show();
    };
    stage.clear();
    Ok(outcome)
}

fn deaf(error: &io::Error) -> Failure {
    Failure::new(Code::Failed, format!("Ctrl-C cannot be listened to: {error}"))
}

/// Without events, the answer is still to come; so waits for ever.
async fn next_event(events: &mut Option<Events>) -> Value {
    if let Some(stream) = events {
        if let Ok(Some(event)) = stream.next().await {
            return serde_json::from_str(&event.line).unwrap_or_default();
        }
        *events = None;
    }
    std::future::pending().await
}

async fn next_frame(frames: &mut Interval, is_lively: bool) {
    if !is_lively {
        std::future::pending::<()>().await;
    }
    frames.tick().await;
}

struct Stage {
    client: Client,
    tracks: Vec<Track>,
    page: Page,
    canvas: Option<Canvas<Stderr>>,
    output: UnboundedReceiver<(String, String)>,
    heard: UnboundedSender<(String, String)>,
}

impl Stage {
    fn new(client: &Client, slots: Vec<(String, Option<String>)>) -> Self {
        let canvas = is_lively(&stderr()).then(|| Canvas::new(stderr()));
        let (heard, output) = unbounded_channel();
        let tracks = slots.into_iter().map(|(slot, hope)| Track::new(slot, hope)).collect();
        let client = client.clone();
        let stage = Self { client, tracks, page: Page::stderr(), canvas, output, heard };
        stage.tracks.iter().for_each(|track| stage.follow(track.slot(), None));
        stage
    }

    /// Listens to what a slot says from now on, or to all that one run says.
    fn follow(&self, slot: &str, run: Option<u64>) {
        if self.canvas.is_some() {
            tokio::spawn(follow(self.client.clone(), slot.to_owned(), run, self.heard.clone()));
        }
    }

    fn observe(&mut self, event: Value) {
        let Some(track) = self.track(event["slot"].as_str().unwrap_or_default()) else { return };
        let line = track.observe(&event);
        if event["event"] == "spawned" {
            // It may have had no log before.
            self.follow(event["slot"].as_str().unwrap_or_default(), event["run"].as_u64());
        }
        if let (Some(line), None) = (line, &self.canvas) {
            say(&line);
        }
    }

    fn hear(&mut self, slot: &str, line: &str) {
        if let Some(track) = self.track(slot) {
            track.hear(line);
        }
    }

    fn track(&mut self, slot: &str) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.slot() == slot)
    }

    fn show(&mut self) {
        let Some(canvas) = &mut self.canvas else { return };
        let (width, height) = terminal_size(&stderr());
        let lines: Vec<String> =
            self.tracks.iter().flat_map(|track| track.lines(&self.page)).collect();
        // Without a terminal there is nobody to show it to.
        drop(canvas.show(&lines, width, height));
    }

    fn clear(&mut self) {
        if let Some(canvas) = &mut self.canvas {
            drop(canvas.show(&[], usize::MAX, usize::MAX));
        }
    }
}

/// Sends on what a slot says. A slot that has no log yet says nothing.
async fn follow(
    client: Client,
    slot: String,
    run: Option<u64>,
    heard: UnboundedSender<(String, String)>,
) {
    let since = run.is_none().then(|| rfc3339(jiff::Timestamp::now()));
    let query = LogsQuery { since, run, follow: true, ..LogsQuery::default() };
    let Ok(mut lines) = client.logs(&slot, &query).await else { return };
    while let Ok(Some(line)) = lines.next().await {
        if let Ok(LogLine::Line { line, .. }) = serde_json::from_str(&line)
            && heard.send((slot.clone(), line)).is_err()
        {
            return;
        }
    }
}
