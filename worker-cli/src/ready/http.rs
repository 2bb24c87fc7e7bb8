//! Ready when a process of the run answers a GET with a status of 2xx or 3xx.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::time::timeout;
use worker_core::Owner;

use super::cadence::Cadence;
use super::{Answers, Target, listener};

/// A server that takes longer than this for an answer is asked again.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A status line is far shorter.
const STATUS_LINE: u64 = 512;

/// So much of an answer is taken in …
const WHOLE_ANSWER: u64 = 1 << 20;
/// … if it comes within this time.
const HEARD_OUT: Duration = Duration::from_secs(1);

pub(super) async fn await_ready(
    target: Target<'_>,
    port: Option<u16>,
    path: &str,
    answers: &mut Answers<'_>,
) {
    let Some(port) = port else { return };
    let cadence = Cadence::start();
    loop {
        if let Some(owner) = listener::find(target, port).await
            && (owner == Owner::Stranger || is_good(port, path).await)
            && answers.tell(owner, || listener::describe(port))
        {
            return;
        }
        cadence.pause().await;
    }
}

pub(super) async fn is_good(port: u16, path: &str) -> bool {
    let status = timeout(ANSWER_LIMIT, get(port, path)).await;
    matches!(status, Ok(Ok(Some(200..=399))))
}

async fn get(port: u16, path: &str) -> io::Result<Option<u16>> {
    let mut stream = listener::connect(port).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: worker\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut head = (&mut stream).take(STATUS_LINE);
    while !answer.contains(&b'\n') && head.read_buf(&mut answer).await? > 0 {}
    tokio::spawn(take_in(stream));
    Ok(status(&answer))
}

/// Hears a server out: one that is cut short may fill its log with complaints.
async fn take_in(answer: impl AsyncRead + Unpin) {
    let mut rest = answer.take(WHOLE_ANSWER);
    // What it says is of no interest, nor that it breaks off.
    drop(timeout(HEARD_OUT, copy(&mut rest, &mut sink())).await);
}

/// `HTTP/1.1 200 OK`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// What one exchange with a server says that answers in these pieces.
    fn answered(pieces: &'static [&[u8]]) -> bool {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            for piece in pieces {
                stream.write_all(piece).unwrap();
                stream.flush().unwrap();
            }
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_good = runtime.block_on(is_good(port, "/health?x=1"));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /health?x=1 HTTP/1.1\r\nHost: localhost:"), "{request}");
        assert!(request.ends_with("\r\n\r\n"), "{request}");
        is_good
    }

    #[test]
    fn a_status_of_2xx_or_3xx_is_ready_and_no_other() {
        assert!(answered(&[b"HTTP/1.1 200 OK\r\n\r\n"]));
        assert!(answered(&[b"HTTP/1.0 302 Found\r\n\r\n"]));
        assert!(!answered(&[b"HTTP/1.1 404 Not Found\r\n\r\n"]));
        assert!(!answered(&[b"HTTP/1.1 503 Service Unavailable\r\n\r\n"]));
    }

    #[tokio::test]
    async fn a_server_is_heard_out() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            stream.write_all(&[b'x'; 200_000]).await?;
            stream.shutdown().await?;
            stream.read(&mut request).await
        });
        assert!(is_good(port, "/").await);
        assert_eq!(server.await.unwrap().unwrap(), 0, "an orderly end");
    }

    #[test]
    fn an_answer_may_come_in_pieces_and_has_to_be_http() {
        assert!(answered(&[b"HTTP/1.1 2", b"04 No Con", b"tent\r\n"]));
        assert!(!answered(&[b"SSH-2.0-OpenSSH_9.2\r\n"]));
        assert!(!answered(&[]));
        assert!(!answered(&[b"\xff\xfe 200\n"]));
    }
}
