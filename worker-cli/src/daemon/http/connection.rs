//! One client.

use std::pin::pin;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixStream;

use super::context::{Closing, Limits};

/// The longest head of a request, and so much of an answer waits to be read.
const BUFFER: usize = 32 << 10;

/// Answers a client until it goes, until it asks for nothing any more, or until the server closes
/// and it has its last answer.
pub(super) async fn attend(stream: UnixStream, router: Router, limits: Limits, closing: Closing) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(BUFFER);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // What goes wrong is that a client went away, or did not speak HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.asked() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn attended(limits: Limits, closing: &Closing) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(attend(theirs, router, limits, closing.clone()));
        ours
    }

    async fn rest(mut stream: UnixStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    fn impatient() -> Limits {
        Limits { head: Duration::from_millis(1), ..Limits::default() }
    }

    #[tokio::test]
    async fn a_client_that_hangs_in_the_head_of_its_request_is_sent_away() {
        let mut client = attended(impatient(), &Closing::default());
        client.write_all(b"GET / HTTP/1.1\r\nHost: w").await.unwrap();
        assert!(!rest(client).await.contains("hello"));
    }

    #[tokio::test]
    async fn a_client_that_asks_for_nothing_is_sent_away() {
        assert_eq!(rest(attended(impatient(), &Closing::default())).await, "");
    }

    #[tokio::test]
    async fn a_client_keeps_its_connection_for_the_next_request() {
        let mut client = attended(Limits::default(), &Closing::default());
        for _ in 0..2 {
            client.write_all(b"GET / HTTP/1.1\r\nHost: w\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            while !answer.ends_with("hello") {
                answer.push(client.read_u8().await.unwrap().into());
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_asks_for_nothing_does_not_keep_the_server_from_closing() {
        let closing = Closing::default();
        let client = attended(Limits::default(), &closing);
        closing.ask();
        assert_eq!(rest(client).await, "");
    }
}
