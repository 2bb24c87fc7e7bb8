//! Slots that appear while logs are followed.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::scope::Scope;
use crate::api::{EventsQuery, LogsQuery};
use crate::client::{Client, Events, Lines};
use crate::error::{Code, Failure};

/// Their logs, as they come.
#[derive(Debug)]
pub(super) struct Newcomers {
    client: Client,
    events: Events,
    scope: Scope,
    query: LogsQuery,
    known: BTreeSet<String>,
}

/// What is read of an event.
#[derive(Debug, Deserialize)]
struct Happening {
    slot: String,
    time: String,
}

impl Newcomers {
    /// Those of `scope` that appear from here on.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon cannot be reached.
    pub(super) async fn of(
        client: &Client,
        scope: &Scope,
        query: &LogsQuery,
    ) -> Result<Self, Failure> {
        let project = scope.project().map(str::to_owned);
        let happening = EventsQuery { project, ..EventsQuery::default() };
        Ok(Self {
            client: client.clone().without_start(),
            events: client.events(&happening, None).await?,
            scope: scope.clone(),
            query: LogsQuery { lines: None, ..query.clone() },
            known: BTreeSet::new(),
        })
    }

    /// The same without these, which are there already.
    pub(super) fn without(mut self, slots: &[String]) -> Self {
        self.known.extend(slots.iter().cloned());
        self
    }

    /// The log of the next one, from its first event on. None when the daemon has ended.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon went away in between.
    pub(super) async fn next(&mut self) -> Result<Option<Lines>, Failure> {
        while let Some(event) = self.events.next().await? {
            let Ok(Happening { slot, time }) = serde_json::from_str(&event.line) else { continue };
            if !self.scope.includes(&slot) || self.known.contains(&slot) {
                continue;
            }
            let since = self.query.since.clone().or(Some(time));
            let query = LogsQuery { since, ..self.query.clone() };
            match self.client.logs(&slot, &query).await {
                Ok(lines) => {
                    self.known.insert(slot);
                    return Ok(Some(lines));
                }
                // It is gone again.
                Err(failure) if failure.code == Code::NoSuchSlot => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }
}
