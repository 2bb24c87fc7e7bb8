//! `worker status --watch`: driven by the events, in place on a terminal.

use std::io::{Stdout, stdout};
use std::time::Duration;

use tokio::time::{Instant, Interval, interval, sleep_until};

use super::super::screen::{Canvas, is_lively, read_on, terminal_size};
use super::{Page, Selection, StatusArgs, in_words, print, select, to_json};
use crate::api::{EventsQuery, Slots};
use crate::client::Client;
use crate::error::{Code, Failure};
use crate::exit_code;

/// How often the times in it are shown anew on a terminal. Nothing is asked for then.
const TICK: Duration = Duration::from_secs(1);

/// Events come in bursts: so long it is waited for more of them before the slots are looked at.
const BURST: Duration = Duration::from_millis(30);

/// Shows the slots until nobody reads any more, or the daemon is gone; answers the exit code.
pub(super) async fn watch(client: &Client, args: &StatusArgs) -> Result<u8, Failure> {
    let query = EventsQuery { follow: true, ..EventsQuery::default() };
    let mut events = client.events(&query, None).await?;
    let mut slots = client.slots(None).await?;
    let mut view = View::new(args, select(args, &slots)?);
    let mut tick = interval(TICK);
    // When the slots are looked at again, after an event.
    let mut look_at = None;
    while view.show(&slots)? {
        tokio::select! {
            event = events.next() => {
                event?.ok_or_else(|| Failure::new(Code::NoDaemon, "the daemon has ended"))?;
                look_at = look_at.or_else(|| Some(Instant::now() + BURST));
            }
            () = reached(look_at) => {
                look_at = None;
                slots = client.slots(None).await?;
            }
            () = next_tick(&mut tick, view.canvas.is_some()) => {}
        }
    }
    Ok(exit_code::DONE)
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn next_tick(tick: &mut Interval, is_lively: bool) {
    if !is_lively {
        std::future::pending::<()>().await;
    }
    tick.tick().await;
}

struct View {
    selection: Selection,
    canvas: Option<Canvas<Stdout>>,
    json: bool,
    page: Page,
    /// What was printed last, where it is printed again and again.
    last: String,
}

impl View {
    fn new(args: &StatusArgs, selection: Selection) -> Self {
        let json = args.answer.json;
        let canvas = (!json && is_lively(&stdout())).then(|| Canvas::new(stdout()));
        Self { selection, canvas, json, page: Page::stdout(), last: String::new() }
    }

    /// Answers whether anybody still reads.
    fn show(&mut self, slots: &Slots) -> Result<bool, Failure> {
        let shown = self.selection.of(slots);
        let Some(canvas) = &mut self.canvas else { return self.repeat(&shown, slots) };
        let (width, height) = terminal_size(&stdout());
        let page = Page { width, ..self.page.now() };
        let text = in_words(&shown, slots, &page);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        read_on(canvas.show(&lines, width, height))
    }

    /// One block, or one line of JSON, for each change of what is shown.
    fn repeat(&mut self, shown: &Slots, all: &Slots) -> Result<bool, Failure> {
        let json = to_json(shown);
        if json == self.last {
            return Ok(true);
        }
        let text =
            if self.json { json.clone() } else { in_words(shown, all, &self.page.now()) + "\n" };
        self.last = json;
        print(&text)
    }
}
