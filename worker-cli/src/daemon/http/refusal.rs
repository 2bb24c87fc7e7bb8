//! Answers that say no.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::api::ErrorAnswer;
use crate::error::{Code, Failure};

/// The answer to a request that is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    failure: Failure,
}

impl Refusal {
    /// A request that cannot be meant.
    pub(super) fn bad_request(status: StatusCode, message: impl Into<String>) -> Self {
        let failure = Failure::new(Code::Usage, message)
            .hint("what can be asked for, and how: GET /v1/openapi.json");
        Self { status, failure }
    }

    /// A handler that panicked.
    pub(super) fn broken() -> Self {
        let failure = Failure::new(Code::Failed, "this request met a mistake in worker itself")
            .hint("its log says more; other slots and requests are not affected");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, failure }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { status: status(failure.code), failure }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&ErrorAnswer::from(self.failure)).unwrap_or_default();
        (self.status, [(CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
    }
}

/// The status that fits a kind of failure.
pub(super) const fn status(code: Code) -> StatusCode {
    match code {
        Code::Usage => StatusCode::BAD_REQUEST,
        Code::BadConfig | Code::SpawnFailed => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NoSuchSlot => StatusCode::NOT_FOUND,
        Code::Parked
        | Code::NotParked
        | Code::NotRunning
        | Code::Cancelled
        | Code::OtherVersion => StatusCode::CONFLICT,
        Code::StartFailed | Code::NoDaemon => StatusCode::BAD_GATEWAY,
        Code::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Code::Unkillable | Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
