//! One slot on its way: what is known of it, and how that looks.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::duration::human;
use crate::verbs::events::text::what;
use crate::verbs::screen::{Ink, Page, plain};

/// A slot that somebody waits for.
#[derive(Clone, Debug)]
pub(super) struct Track {
    slot: String,
    since: Instant,
    /// What makes it ready; none if that is not known.
    hope: Option<String>,
    /// What it does, by its latest event.
    doing: Doing,
    /// The last line of its output.
    output: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Asked,
    Starting,
    Running,
    Exited,
    Restarting,
    Stopping,
    Stopped,
    Failed,
}

impl Track {
    /// A slot that was just asked for something.
    pub(super) fn new(slot: String, hope: Option<String>) -> Self {
        Self { slot, since: Instant::now(), hope, doing: Doing::Asked, output: None }
    }

    /// The name in full.
    pub(super) fn slot(&self) -> &str {
        &self.slot
    }

    /// Learns of an event of this slot; answers a line that says so, if it is worth one.
    pub(super) fn observe(&mut self, event: &Value) -> Option<String> {
        let kind = event["event"].as_str()?;
        self.doing = Doing::after(kind).unwrap_or(self.doing);
        let what = match (kind, self.hope()) {
            ("starting", Some(hope)) => format!(", waiting for {hope}"),
            ("exited" | "restarting", _) => format!(" {}", what(event)),
            ("starting", None) | ("stopping", _) => String::new(),
            _ => return None,
        };
        Some(format!("{}: {kind}{}", plain(&self.slot), what.trim_end()))
    }

    /// Learns of a line of its output.
    pub(super) fn hear(&mut self, line: &str) {
        let line = plain(line).trim().to_owned();
        if !line.is_empty() {
            self.output = Some(line);
        }
    }

    /// One or two lines for a terminal.
    pub(super) fn lines(&self, page: &Page) -> Vec<String> {
        self.lines_after(self.since.elapsed(), page)
    }

    fn lines_after(&self, waited: Duration, page: &Page) -> Vec<String> {
        let (ink, word) = self.doing.look();
        let doing = page.paint.ink(ink, word);
        let name = page.paint.bold(&plain(&self.slot));
        if matches!(self.doing, Doing::Running | Doing::Stopped) {
            return vec![format!("{name} {doing}")];
        }
        let waited = human(Duration::from_millis(millis(waited) / 100 * 100));
        let hope = self.hope().filter(|_| self.doing == Doing::Starting);
        let hope = hope.map_or_else(String::new, |hope| format!(", waiting for {hope}"));
        let first = format!("{name} {doing} for {waited}{hope}");
        let output = self.output.iter().map(|line| page.paint.dim(&format!("  | {line}")));
        std::iter::once(first).chain(output).collect()
    }

    fn hope(&self) -> Option<&str> {
        self.hope.as_deref()
    }
}

impl Doing {
    fn after(event: &str) -> Option<Self> {
        Some(match event {
            "starting" | "spawned" => Self::Starting,
            "ready" => Self::Running,
            "exited" => Self::Exited,
            "restarting" => Self::Restarting,
            "stopping" => Self::Stopping,
            "stopped" => Self::Stopped,
            "failed" | "error" => Self::Failed,
            _ => return None,
        })
    }

    fn look(self) -> (Ink, &'static str) {
        match self {
            Self::Asked => (Ink::Dim, "waiting"),
            Self::Starting => (Ink::Yellow, "starting"),
            Self::Running => (Ink::Green, "running"),
            Self::Exited => (Ink::Red, "exited"),
            Self::Restarting => (Ink::Yellow, "restarting"),
            Self::Stopping => (Ink::Yellow, "stopping"),
            Self::Stopped => (Ink::Dim, "stopped"),
            Self::Failed => (Ink::Red, "failed"),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn track() -> Track {
        Track::new("shop/api".to_owned(), Some("http /health".to_owned()))
    }

    fn lines(track: &Track) -> Vec<String> {
        track.lines_after(Duration::from_millis(2_149), &Page::for_tests())
    }

    #[test]
    fn a_start_shows_what_it_waits_for_how_long_and_the_last_output() {
        let mut track = track();
        assert_eq!(lines(&track), ["shop/api waiting for 2.1 s"]);
        track.observe(&json!({"event": "starting"}));
        track.hear("\x1b[32mcompiling\x1b[0m");
        track.hear("\r\n");
        assert_eq!(
            lines(&track),
            ["shop/api starting for 2.1 s, waiting for http /health", "  | compiling"]
        );
        track.observe(&json!({"event": "ready", "after_ms": 24}));
        assert_eq!(lines(&track), ["shop/api running"]);
    }

    #[test]
    fn elsewhere_than_on_a_terminal_each_turn_has_a_line() {
        let mut track = track();
        let mut said = |event: Value| track.observe(&event).unwrap_or_default();
        assert_eq!(
            said(json!({"event": "starting"})),
            "shop/api: starting, waiting for http /health"
        );
        assert_eq!(said(json!({"event": "spawned", "pid": 4711})), "");
        let exited = json!({"event": "exited", "code": 1, "uptime_ms": 3120});
        assert_eq!(said(exited), "shop/api: exited code 1 after 3.1 s");
        assert_eq!(said(json!({"event": "stopping", "reason": "request"})), "shop/api: stopping");
        assert_eq!(said(json!({"event": "of a later version"})), "");
    }
}
