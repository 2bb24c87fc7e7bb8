//! Client and daemon tell each other their version; those of another one are sent away.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use crate::api::VERSION_HEADER;
use crate::error::{Code, Failure};

const OWN: &str = env!("CARGO_PKG_VERSION");

/// What every version may ask for: how the daemon is, and that it ends.
const FOR_ALL: [&str; 2] = ["/healthz", "/v1/shutdown"];

/// Lets a request pass, or answers it.
pub(super) async fn gate(request: Request, next: Next) -> Response {
    let mut response = match refusal(&request) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(OWN));
    response
}

fn refusal(request: &Request) -> Option<Refusal> {
    let version = request.headers().get(VERSION_HEADER)?.as_bytes();
    let is_fine = version == OWN.as_bytes() || FOR_ALL.contains(&request.uri().path());
    (!is_fine).then(|| other_version(&String::from_utf8_lossy(version)).into())
}

fn other_version(client: &str) -> Failure {
    let message = format!("the daemon is version {OWN}, and its client is version {client}");
    let hint = "end it and everything that it runs, then try again: worker down --all";
    Failure::new(Code::OtherVersion, message).hint(hint)
}
