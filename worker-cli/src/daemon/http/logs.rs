//! `GET /v1/slots/{slot}/logs`: JSON Lines.

use std::io;

use futures_util::stream::unfold;
use jiff::Timestamp;
use regex_lite::Regex;

use super::context::{Closing, Context};
use super::input::{Name, Query};
use super::output::JsonLines;
use crate::api::LogsQuery;
use crate::duration::parse_duration;
use crate::error::{Code, Failure};
use crate::logs::{self, Follow, LogLine, LogStream, Record};

struct Feed {
    slot: String,
    stream: LogStream,
    closing: Closing,
    stage: Stage,
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Going,
    /// What is there is to be sent still.
    Last,
    Over,
}

pub(super) async fn stream_logs(
    context: Context,
    (Name(name), Query(query)): (Name, Query<LogsQuery>),
) -> Result<JsonLines, Failure> {
    let latest = context.daemon.slot(&name).await?.run;
    let wanted = wanted(&query, latest, Timestamp::now())?;
    let follow = if query.follow { Follow::Yes } else { Follow::No };
    let stream = context.daemon.logs(&name)?.stream(wanted, follow);
    let feed = Feed { slot: name, stream, closing: context.closing, stage: Stage::Going };
    Ok(JsonLines::of(unfold(feed, |mut feed| async {
        feed.chunk().await.map(|chunk| (chunk, feed))
    })))
}

/// What is asked for, of a slot whose latest run is this.
fn wanted(query: &LogsQuery, latest: u64, now: Timestamp) -> Result<logs::Query, Failure> {
    let run = match (query.previous, query.run) {
        (true, Some(_)) => return Err(bad("`previous` and `run` exclude each other")),
        // No run has the number 0.
        (true, None) => Some(latest.saturating_sub(1)),
        (false, run) => run,
    };
    let grep = query.grep.as_deref().map(Regex::new).transpose();
    let mut wanted = logs::Query::default();
    wanted.run = run;
    wanted.last = query.lines.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX));
    wanted.since = query.since.as_deref().map(|since| time(since, now)).transpose()?;
    wanted.grep = grep.map_err(|error| bad(&format!("grep: {error}")))?;
    Ok(wanted)
}

fn time(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = parse_duration(text).map_err(|_| {
        bad(&format!(
            "since: `{text}` is neither a time, as 2026-11-22T07:00:00Z, nor how long ago, as 10m"
        ))
    })?;
    // Whatever is longer ago than time can be is all of it.
    Ok(now.checked_sub(ago).unwrap_or(Timestamp::MIN))
}

fn bad(message: &str) -> Failure {
    Failure::new(Code::Usage, message)
}

impl Feed {
    /// What is sent next. None at the end.
    async fn chunk(&mut self) -> Option<io::Result<String>> {
        let records = match self.read().await {
            Ok(records) => records.filter(|records| !records.is_empty())?,
            Err(error) => {
                self.stage = Stage::Over;
                return Some(Err(error));
            }
        };
        Some(Ok(records.iter().map(|record| self.line(record)).collect()))
    }

    async fn read(&mut self) -> io::Result<Option<Vec<Record>>> {
        if self.stage == Stage::Going {
            tokio::select! {
                biased;
                records = self.stream.next() => return records,
                () = self.closing.asked() => self.stage = Stage::Last,
            }
        }
        match self.stage {
            Stage::Over => Ok(None),
            Stage::Going | Stage::Last => self.stream.read().await.map(Some),
        }
    }

    fn line(&self, record: &Record) -> String {
        let line = serde_json::to_string(&LogLine::new(&self.slot, record));
        line.unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn run(query: &LogsQuery) -> Option<u64> {
        wanted(query, 3, NOW).unwrap().run
    }

    #[test]
    fn the_previous_run_is_the_one_before_the_latest() {
        let previous = LogsQuery { previous: true, ..LogsQuery::default() };
        assert_eq!(run(&previous), Some(2));
        assert_eq!(run(&LogsQuery { run: Some(1), ..LogsQuery::default() }), Some(1));
        assert_eq!(run(&LogsQuery::default()), None);
        assert!(wanted(&LogsQuery { run: Some(1), ..previous }, 3, NOW).is_err());
    }

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        assert_eq!(time("1970-01-01T00:00:01Z", NOW).unwrap().as_second(), 1);
        assert_eq!(time("10m", NOW).unwrap().as_second(), -600);
        let refused = time("yesterday", NOW).unwrap_err();
        assert_eq!(refused.code, Code::Usage);
        assert!(refused.message.contains("`yesterday` is neither a time"), "{refused}");
    }

    #[test]
    fn a_regular_expression_that_is_none_is_refused() {
        let query = LogsQuery { grep: Some("(".to_owned()), ..LogsQuery::default() };
        assert!(wanted(&query, 3, NOW).unwrap_err().message.starts_with("grep: "));
    }
}
