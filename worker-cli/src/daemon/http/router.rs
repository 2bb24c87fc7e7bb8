//! From a path and a method to an operation.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn;

use super::context::Context;
use super::gate::gate;
use super::operations::operations;
use super::refusal::Refusal;

/// What the clients of this user meet.
pub(super) fn router(context: Context) -> Router {
    let empty = Router::new();
    let router = operations().into_iter().fold(empty, |router, operation| operation.route(router));
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(gate))
        .with_state(context)
}

/// What those of other users meet.
pub(super) fn refusing_router() -> Router {
    Router::new().fallback(|| async {
        Refusal::bad_request(StatusCode::FORBIDDEN, "this daemon serves another user")
    })
}

async fn unknown_path(request: Request) -> Refusal {
    let message = format!("there is nothing at {}", request.uri().path());
    Refusal::bad_request(StatusCode::NOT_FOUND, message)
}

async fn wrong_method(request: Request) -> Refusal {
    let message = format!("{} cannot be asked of {}", request.method(), request.uri().path());
    Refusal::bad_request(StatusCode::METHOD_NOT_ALLOWED, message)
}
