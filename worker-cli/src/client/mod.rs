//! The client of the control API, which every verb is.
//!
//! One connection per request: a unix socket costs next to nothing, and none is left idle.

mod connection;
mod reach;
mod start;
mod stream;

use std::future::Future;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api;
use crate::error::Failure;
use crate::socket::Place;
use crate::state_dir::StateArgs;

pub use self::stream::{Event, Events, Lines};

use self::connection::{Asking, Versions};

pub(crate) use self::reach::reach;

/// What may stand in a segment of a path as it is: the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The daemon of a state folder, as its clients see it.
#[derive(Clone, Debug)]
pub struct Client {
    place: Place,
    start: Start,
}

/// What is done where no daemon runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    /// This program is executed.
    Program(PathBuf),
    /// Nothing.
    Never,
}

/// Carries out what a verb asks for.
///
/// # Errors
///
/// [`Failure`] if there is no room for a runtime, or whatever `asking` fails with.
pub fn block_on<T>(asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::no_room(&error))?;
    let outcome = runtime.block_on(asking);
    runtime.shutdown_background();
    outcome
}

impl Client {
    /// Of the daemon of this state folder, which is started when it is first needed.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no state folder.
    pub fn new(state: &StateArgs) -> Result<Self, Failure> {
        Ok(Self { place: Place::of(state)?, start: Start::Program(this_program()) })
    }

    /// The same, but without a daemon there is a [`Failure`] with [`NoDaemon`](crate::error::Code::NoDaemon).
    #[must_use]
    pub fn without_start(self) -> Self {
        Self { start: Start::Never, ..self }
    }

    /// The same, but the daemon that is started is that of another `worker`, by its absolute path:
    /// for programs that are none themselves.
    #[must_use]
    pub fn starting(self, program: PathBuf) -> Self {
        Self { start: Start::Program(program), ..self }
    }

    /// Whether a daemon runs. Starts none.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is one that cannot be reached.
    pub async fn is_there(&self) -> Result<bool, Failure> {
        reach::reach(&self.place).await.map(|stream| stream.is_some())
    }

    /// Where the daemon is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// `GET /v1/slots`: all slots, or those of a project.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon cannot be reached or says so; the same holds for all that follow.
    pub async fn slots(&self, project: Option<&str>) -> Result<api::Slots, Failure> {
        let query = api::SlotsQuery { project: project.map(str::to_owned) };
        self.get(&with_query("/v1/slots", &query)).await
    }

    /// `GET /v1/slots/{slot}`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if there is no such slot.
    pub async fn slot(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        self.get(&slot_path(name, "")).await.map(|api::OneSlot { slot, .. }| slot)
    }

    /// `POST /v1/slots/{slot}/start`.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why it is not, or not yet, ready.
    pub async fn start(
        &self,
        name: &str,
        request: &api::StartRequest,
    ) -> Result<api::SlotStatus, Failure> {
        self.change(name, "/start", request).await
    }

    /// `POST /v1/slots/{slot}/stop`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if its tree cannot be ended.
    pub async fn stop(
        &self,
        name: &str,
        request: api::StopRequest,
    ) -> Result<api::SlotStatus, Failure> {
        self.change(name, "/stop", &request).await
    }

    /// `POST /v1/slots/{slot}/restart`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(
        &self,
        name: &str,
        request: &api::StartRequest,
    ) -> Result<api::SlotStatus, Failure> {
        self.change(name, "/restart", request).await
    }

    /// `POST /v1/slots/{slot}/reset`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if it is not parked.
    pub async fn reset(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        self.change(name, "/reset", &()).await
    }

    /// `POST /v1/slots/{slot}/touch`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if it has no live run.
    pub async fn touch(&self, name: &str) -> Result<api::SlotStatus, Failure> {
        self.change(name, "/touch", &()).await
    }

    /// `GET /v1/slots/{slot}/env`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if there is no such slot.
    pub async fn env(&self, name: &str) -> Result<api::Env, Failure> {
        self.get(&slot_path(name, "/env")).await
    }

    /// `GET /v1/slots/{slot}/why`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if there is no such slot.
    pub async fn why(&self, name: &str) -> Result<api::Why, Failure> {
        self.get(&slot_path(name, "/why")).await
    }

    /// `GET /v1/slots/{slot}/logs`: JSON Lines.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if there is no such slot.
    pub async fn logs(&self, name: &str, query: &api::LogsQuery) -> Result<Lines, Failure> {
        let path = with_query(&slot_path(name, "/logs"), query);
        Ok(Lines::of(self.ask(Asking::get(&path)).await?))
    }

    /// `POST /v1/projects/{project}/up`.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the configuration cannot be used. What goes wrong with single slots stands in
    /// the answer.
    pub async fn up(&self, project: &str, request: &api::UpRequest) -> Result<api::Up, Failure> {
        self.post(&project_path(project, "/up"), request).await
    }

    /// `POST /v1/projects/{project}/down`.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if there is no such project.
    pub async fn down(
        &self,
        project: &str,
        request: api::StopRequest,
    ) -> Result<api::Down, Failure> {
        self.post(&project_path(project, "/down"), &request).await
    }

    /// `POST /v1/shutdown`: ends all slots and the daemon, whatever version it is of. Never starts
    /// one.
    ///
    /// # Errors
    ///
    /// [`Failure`], also if no daemon runs.
    pub async fn shutdown(&self) -> Result<api::Down, Failure> {
        let asking = Asking::post("/v1/shutdown", &())?.of(Versions::Any);
        connection::read(self.clone().without_start().ask(asking).await?).await
    }

    /// `GET /v1/ports`.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub async fn ports(&self) -> Result<api::Ports, Failure> {
        self.get("/v1/ports").await
    }

    /// `GET /v1/events`: those after the event of this number, 0 for all that are kept; with none,
    /// those that are still to come if `query` follows, and all that are kept if not.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub async fn events(
        &self,
        query: &api::EventsQuery,
        after: Option<u64>,
    ) -> Result<Events, Failure> {
        let asking = Asking::get(&with_query("/v1/events", query));
        let asking = match after {
            Some(seq) => asking.header("last-event-id", seq),
            None => asking,
        };
        Ok(Events::of(self.ask(asking).await?))
    }

    /// `GET /healthz`, whatever version the daemon is of.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub async fn health(&self) -> Result<api::Health, Failure> {
        connection::read(self.ask(Asking::get("/healthz").of(Versions::Any)).await?).await
    }

    /// `GET /metrics`: Prometheus text.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub async fn metrics(&self) -> Result<String, Failure> {
        connection::read_text(self.ask(Asking::get("/metrics")).await?).await
    }

    /// `GET /v1/openapi.json`.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub async fn openapi(&self) -> Result<serde_json::Value, Failure> {
        self.get("/v1/openapi.json").await
    }

    async fn change(
        &self,
        name: &str,
        what: &str,
        body: &impl Serialize,
    ) -> Result<api::SlotStatus, Failure> {
        let answer = self.post(&slot_path(name, what), body).await;
        answer.map(|api::OneSlot { slot, .. }| slot)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        connection::read(self.ask(Asking::get(path)).await?).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        connection::read(self.ask(Asking::post(path, body)?).await?).await
    }

    async fn ask(&self, asking: Asking) -> Result<connection::Answer, Failure> {
        connection::ask(self.connect().await?, asking).await
    }
}

/// Also where the file was replaced since we were started.
fn this_program() -> PathBuf {
    let by_file = || std::env::current_exe().unwrap_or_else(|_| "worker".into());
    if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { by_file() }
}

fn slot_path(name: &str, what: &str) -> String {
    format!("/v1/slots/{}{what}", utf8_percent_encode(name, ESCAPED))
}

fn project_path(name: &str, what: &str) -> String {
    format!("/v1/projects/{}{what}", utf8_percent_encode(name, ESCAPED))
}

fn with_query(path: &str, query: &impl Serialize) -> String {
    match serde_urlencoded::to_string(query) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        assert_eq!(slot_path("shop/agent@proj-42", "/why"), "/v1/slots/shop%2Fagent@proj-42/why");
        assert_eq!(slot_path("ä?#%", ""), "/v1/slots/%C3%A4%3F%23%25");
    }

    #[test]
    fn what_is_not_asked_for_does_not_stand_in_a_query() {
        assert_eq!(with_query("/v1/slots", &api::SlotsQuery::default()), "/v1/slots");
        let query = api::SlotsQuery { project: Some("a&b".to_owned()) };
        assert_eq!(with_query("/v1/slots", &query), "/v1/slots?project=a%26b");
    }
}
