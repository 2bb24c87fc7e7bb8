//! One request and its answer.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::api::{ErrorAnswer, VERSION_HEADER};
use crate::error::{Code, Failure};

pub(super) type Answer = Response<Incoming>;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which daemons are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    Own,
    Any,
}

/// A request to be.
pub(super) struct Asking {
    request: Request<Full<Bytes>>,
    versions: Versions,
}

impl Asking {
    pub(super) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    pub(super) fn post(path: &str, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|error| unsent(&error))?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let asking = Self::new(Method::POST, path, body.into());
        Ok(asking.header(CONTENT_TYPE.as_str(), "application/json"))
    }

    /// Also when the daemon is of another version.
    pub(super) fn of(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    fn new(method: Method, path: &str, body: Bytes) -> Self {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A path of ours is one, since it is escaped.
        *request.uri_mut() = path.parse().unwrap_or_default();
        let asking = Self { request, versions: Versions::Own };
        asking.header(HOST.as_str(), "worker").header(VERSION_HEADER, OWN_VERSION)
    }
}

/// Sends a request over a fresh connection. Answers that are errors come back as such.
pub(super) async fn ask(stream: UnixStream, asking: Asking) -> Result<Answer, Failure> {
    let Asking { request, versions } = asking;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| lost(&error))?;
    // Ends with the answer's body, or when that is dropped.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| lost(&error))?;
    if versions == Versions::Own {
        check_version(&answer)?;
    }
    if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer).await) }
}

/// The body as a value.
pub(super) async fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Failure> {
    let body = collect(answer).await?;
    serde_json::from_slice(&body).map_err(|error| not_understood(&error))
}

/// The body as text.
pub(super) async fn read_text(answer: Answer) -> Result<String, Failure> {
    String::from_utf8(collect(answer).await?.into()).map_err(|error| not_understood(&error))
}

async fn collect(answer: Answer) -> Result<Bytes, Failure> {
    let body = answer.into_body().collect().await.map_err(|error| lost(&error))?;
    Ok(body.to_bytes())
}

fn check_version(answer: &Answer) -> Result<(), Failure> {
    let version = answer.headers().get(VERSION_HEADER).map(HeaderValue::as_bytes);
    match version.map(String::from_utf8_lossy) {
        Some(version) if version != OWN_VERSION => Err(other_version(&version)),
        _ => Ok(()),
    }
}

/// What both sides say when they differ.
fn other_version(daemon: &str) -> Failure {
    let message = format!("the daemon is version {daemon}, and this is version {OWN_VERSION}");
    let hint = "end it and everything that it runs, then try again: worker down --all";
    Failure::new(Code::OtherVersion, message).hint(hint)
}

async fn refusal(answer: Answer) -> Failure {
    let status = answer.status();
    let body = match collect(answer).await {
        Ok(body) => body,
        Err(failure) => return failure,
    };
    let parsed = serde_json::from_slice::<ErrorAnswer>(&body);
    parsed.map_or_else(|_| bare_refusal(status), |answer| answer.error.into())
}

fn bare_refusal(status: StatusCode) -> Failure {
    Failure::new(Code::Failed, format!("the daemon refused without a reason: {status}"))
}

pub(super) fn lost(error: &hyper::Error) -> Failure {
    let message = format!("the daemon went away before it answered: {error}");
    Failure::new(Code::NoDaemon, message).hint("see how it is: worker status")
}

fn not_understood(error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::NoDaemon, format!("the daemon's answer cannot be understood: {error}"))
}

fn unsent(error: &serde_json::Error) -> Failure {
    Failure::new(Code::Failed, format!("the request cannot be written: {error}"))
}
