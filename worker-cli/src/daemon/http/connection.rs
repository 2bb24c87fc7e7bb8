//! One client.

use std::pin::pin;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixStream;

use super::context::Context;

/// The longest head of a request, and so much of an answer waits to be read.
const BUFFER: usize = 32 << 10;

/// Answers a client until it goes, until it asks for nothing any more, or until the server closes
/// and it has its last answer.
pub(super) async fn attend(stream: UnixStream, router: Router, context: Context) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(context.limits.head).max_buf_size(BUFFER);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // What goes wrong is that a client went away, or did not speak HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = context.closing.asked() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
