//! Ready when a line of the output matches. The output goes through us then, unchanged.

use std::io;
use std::ops::ControlFlow;

use regex_lite::Regex;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use worker_core::Owner;
use worker_platform_unix::{Output, OutputReader, output_pipe};

use super::Answers;
use crate::logs::{Stream as Source, Tap};

/// Lines longer than this are matched by their beginning.
const LINE: usize = 64 * 1024;
/// What is read at once.
const CHUNK: usize = 64 * 1024;
/// No pipe of an ordinary user holds more than these: `/proc/sys/fs/pipe-max-size`.
const LAST_CHUNKS: usize = 16;

/// Sees whether a line of the output matched.
#[derive(Debug)]
pub(crate) struct LogWatch {
    matched: watch::Receiver<bool>,
    pumps: Vec<Pump>,
}

/// Carries one stream of a run's output on to ours.
#[derive(Debug)]
pub(crate) struct Pump {
    reader: OutputReader,
    stream: Stream,
    scanner: Scanner,
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    Stdout,
    Stderr,
}

impl LogWatch {
    /// Makes pipes for both streams, which go into `outputs`.
    pub(super) fn start(pattern: &Regex, outputs: &mut [Output; 2]) -> io::Result<Self> {
        let (found, matched) = watch::channel(false);
        let mut pumps = Vec::new();
        for (stream, output) in [Stream::Stdout, Stream::Stderr].into_iter().zip(outputs) {
            let (reader, writer) = output_pipe()?;
            *output = Output::Pipe(writer);
            let scanner = Scanner::new(pattern.clone(), found.clone());
            pumps.push(Pump { reader, stream, scanner });
        }
        Ok(Self { matched, pumps })
    }

    /// Has whoever carries the output show it to the tap.
    pub(super) fn tapped(pattern: &Regex) -> (Self, Tap) {
        let (found, matched) = watch::channel(false);
        let mut scanners: [Scanner; Source::ALL.len()] =
            Source::ALL.map(|_| Scanner::new(pattern.clone(), found.clone()));
        let tap = move |source: Source, bytes: &[u8]| {
            let scanner = &mut scanners[source as usize];
            if bytes.is_empty() {
                scanner.end()
            } else {
                scanner.feed(bytes)
            }
            if *found.borrow() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        (Self { matched, pumps: Vec::new() }, Box::new(tap))
    }

    /// The pumps, to be run as long as there is output.
    pub(crate) fn take_pumps(&mut self) -> Vec<Pump> {
        std::mem::take(&mut self.pumps)
    }

    pub(super) async fn await_ready(&self, answers: &mut Answers<'_>) {
        if self.matched.clone().wait_for(|matched| *matched).await.is_ok() {
            answers.tell(Owner::Own, String::new);
        }
    }
}

impl Pump {
    /// Carries on until end-of-file, or until nobody reads our own output any more, which the
    /// command then finds out as it would without us. Once `last` turns true, only what is
    /// there by then. What the run left behind may hold the pipe, and must not find it closed
    /// while we live.
    pub(crate) async fn run(self, last: watch::Receiver<bool>) {
        match self.stream {
            Stream::Stdout => self.carry(tokio::io::stdout(), last).await,
            Stream::Stderr => self.carry(tokio::io::stderr(), last).await,
        }
    }

    async fn carry(mut self, mut sink: impl AsyncWrite + Unpin, mut last: watch::Receiver<bool>) {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = tokio::select! {
                biased;
                read = self.reader.read(&mut chunk) => read,
                _ = last.wait_for(|last| *last) => break,
            };
            let Ok(length @ 1..) = read else { return self.scanner.end() };
            self.scanner.feed(&chunk[..length]);
            if pass_on(&mut sink, &chunk[..length]).await == Reader::Gone {
                return;
            }
        }
        self.drain(&mut sink, &mut chunk).await;
    }

    async fn drain(&mut self, sink: &mut (impl AsyncWrite + Unpin), chunk: &mut [u8]) {
        for _ in 0..LAST_CHUNKS {
            let Ok(length @ 1..) = self.reader.try_read(chunk) else { return };
            pass_on(sink, &chunk[..length]).await;
        }
    }
}

/// Whether somebody may still read our output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Possible,
    Gone,
}

/// Other errors, such as a full disk, cost this piece and no more.
async fn pass_on(sink: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Reader {
    let written = async {
        sink.write_all(bytes).await?;
        sink.flush().await
    };
    match written.await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Reader::Gone,
        Ok(()) | Err(_) => Reader::Possible,
    }
}

/// Looks for a line that matches, in bounded memory.
#[derive(Debug)]
struct Scanner {
    pattern: Regex,
    found: watch::Sender<bool>,
    line: Vec<u8>,
}

impl Scanner {
    fn new(pattern: Regex, found: watch::Sender<bool>) -> Self {
        Self { pattern, found, line: Vec::new() }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if *self.found.borrow() {
                self.line = Vec::new();
                return;
            }
            let room = LINE - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end();
            }
        }
    }

    /// Ends the line.
    fn end(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = without_escapes(line.trim_end_matches(['\r', '\n']));
        if self.pattern.is_match(&line) {
            self.found.send_replace(true);
        }
        self.line.clear();
    }
}

/// The text without the sequences that colour it: ECMA-48, `ESC [ … final byte`.
pub(crate) fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = sequence.find(|c| ('\x40'..='\x7e').contains(&c));
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(pattern: &str, pieces: &[&[u8]]) -> bool {
        let (found, matched) = watch::channel(false);
        let mut scanner = Scanner::new(Regex::new(pattern).unwrap(), found);
        for piece in pieces {
            scanner.feed(piece);
        }
        scanner.end();
        assert!(scanner.line.capacity() <= 2 * LINE);
        *matched.borrow()
    }

    #[test]
    fn a_line_matches_even_if_it_comes_in_pieces() {
        assert!(is_found("^listening on [0-9]+$", &[b"hello\nlisten", b"ing on 80\r", b"\nx"]));
        assert!(!is_found("a.*b", &[b"a\nb\n"]));
        assert!(is_found("ready", &[b"ready"]), "the last line needs no end");
    }

    #[test]
    fn colours_do_not_hide_a_match() {
        assert!(is_found("ready in 3 ms", &[b"\x1b[32mready\x1b[0m in \x1b[1;4m3\x1b[22m ms\n"]));
        assert_eq!(without_escapes("a\x1b[3"), "a");
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory_and_matches_by_its_beginning() {
        let long = vec![b'x'; 3 * LINE];
        assert!(is_found("^start", &[b"start", &long, &long, b"\n"]));
        assert!(!is_found("end", &[&long, b"end\n"]));
        assert!(is_found("next", &[&long, b"\nnext\n"]));
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        assert!(is_found("ok", &[b"\xff\xfe\x00\nok \xc3\n"]));
    }
}
