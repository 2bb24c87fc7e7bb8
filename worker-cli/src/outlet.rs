//! A way to write lines that never waits.
//!
//! Where messages and events go may be a pipe that nobody reads, and a supervisor that waited for
//! it would miss its deadlines. So a thread of its own writes, a bounded queue feeds it, and what
//! does not fit is left out, which is said once.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines that may wait for a slow reader.
const CAPACITY: usize = 1024;

/// The sending end. Clones write to the same place, whose thread ends with the last of them.
#[derive(Clone)]
pub struct Outlet {
    queue: Arc<Queue>,
    /// Only there to be dropped with the last clone.
    _open: Arc<Open>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    complain: Box<dyn Fn(&str) + Send + Sync>,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    /// Whether a line that left the queue is still being written.
    is_writing: bool,
    is_closed: bool,
    has_complained: bool,
}

struct Open(Arc<Queue>);

impl Outlet {
    /// Starts the thread that writes to `sink`. `complain` is told the first reason why a line
    /// was lost.
    ///
    /// # Errors
    ///
    /// If there is no room for another thread.
    pub fn start(
        sink: impl Write + Send + 'static,
        complain: impl Fn(&str) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
            complain: Box::new(complain),
        });
        let writer = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("outlet".to_owned())
            .spawn(move || writer.write_lines(sink))?;
        Ok(Self { _open: Arc::new(Open(Arc::clone(&queue))), queue })
    }

    /// Puts a line, given without its end, in the queue. It is lost if there is no room.
    pub fn line(&self, mut line: String) {
        line.push('\n');
        let mut state = self.queue.state();
        if state.lines.len() < CAPACITY {
            state.lines.push_back(line);
            self.queue.changed.notify_all();
        } else {
            self.queue.complain_once(state, "nobody reads fast enough, so some are left out");
        }
    }

    /// Waits until everything is written, but no longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        let state = self.queue.state();
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        drop(self.queue.changed.wait_timeout_while(state, limit, is_busy));
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lines(&self, mut sink: impl Write) {
        while let Some(line) = self.next_line() {
            let written = sink.write_all(line.as_bytes()).and_then(|()| sink.flush());
            if let Err(error) = written {
                self.complain_once(self.state(), &error.to_string());
            }
        }
    }

    /// Waits for a line; none after the last one of a closed queue.
    fn next_line(&self) -> Option<String> {
        let mut state = self.state();
        state.is_writing = false;
        self.changed.notify_all();
        let is_idle = |state: &mut State| state.lines.is_empty() && !state.is_closed;
        state = self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        let line = state.lines.pop_front();
        state.is_writing = line.is_some();
        line
    }

    fn complain_once(&self, mut state: MutexGuard<'_, State>, reason: &str) {
        if !std::mem::replace(&mut state.has_complained, true) {
            drop(state);
            (self.complain)(reason);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Writes one line for each permission it gets.
    struct Sink {
        permissions: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permissions.recv().map_err(|_| io::Error::other("no room"))?;
            self.written.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Bench {
        outlet: Outlet,
        permit: Sender<()>,
        written: Receiver<Vec<u8>>,
        complaints: Receiver<String>,
    }

    fn bench() -> Bench {
        let (permit, permissions) = channel();
        let (sender, written) = channel();
        let (complain, complaints) = channel();
        let sink = Sink { permissions, written: sender };
        let outlet =
            Outlet::start(sink, move |why| complain.send(why.to_owned()).unwrap()).unwrap();
        Bench { outlet, permit, written, complaints }
    }

    #[test]
    fn lines_are_written_in_order_and_a_flush_waits_for_them() {
        let bench = bench();
        for line in ["one", "two"] {
            bench.permit.send(()).unwrap();
            bench.outlet.line(line.to_owned());
        }
        bench.outlet.flush(LONG);
        let written: Vec<_> = bench.written.try_iter().collect();
        assert_eq!(written, [b"one\n", b"two\n"]);
    }

    #[test]
    fn a_reader_that_hangs_costs_lines_but_no_time_and_is_named_once() {
        let bench = bench();
        for _ in 0..CAPACITY + 10 {
            bench.outlet.line("x".to_owned());
        }
        bench.outlet.flush(Duration::from_millis(1));
        assert_eq!(bench.complaints.try_iter().count(), 1);
    }

    #[test]
    fn a_sink_that_fails_is_named_once() {
        let bench = bench();
        drop(bench.permit);
        bench.outlet.line("x".to_owned());
        bench.outlet.line("x".to_owned());
        bench.outlet.flush(LONG);
        assert_eq!(bench.complaints.try_iter().collect::<Vec<_>>(), ["no room"]);
    }

    #[test]
    fn the_thread_ends_with_the_last_clone_after_it_wrote_everything() {
        let bench = bench();
        let clone = bench.outlet.clone();
        bench.outlet.line("last".to_owned());
        drop(bench.outlet);
        drop(clone);
        bench.permit.send(()).unwrap();
        assert_eq!(bench.written.recv_timeout(LONG).unwrap(), b"last\n");
        assert!(bench.written.recv_timeout(LONG).is_err(), "the sink is dropped");
    }
}
