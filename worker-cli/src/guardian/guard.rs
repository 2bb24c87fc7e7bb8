//! The loop of the guardian.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid as RawPid, Signal as RawSignal, kill_process};
use worker_core::{Exit, Signal};
use worker_platform_unix::guardian::{
    CaughtSignals, Change, ChildChange, Half, Sweep, adopt_orphans, divide, next_change,
    own_children, unmap_file_pages,
};
use worker_platform_unix::{Pid, signal_number};

use super::link::Report;
use super::service::Service;
use super::{VARIABLE, style};
use crate::error::{Code, Failure};
use crate::processes;
use crate::run::Ending;
use crate::signals::job_signals;
use crate::voice::failure_line;

/// How long after SIGKILL processes may take to be gone.
const UNKILLABLE: Duration = Duration::from_secs(10);

/// How long the last words may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A guardian with a living supervisor.
pub(super) struct Guard {
    supervisor: Pid,
    signals: CaughtSignals,
    /// None after its end.
    link: Option<UnixStream>,
    /// The supervisor takes signals by the link.
    listening: bool,
    service: Service,
    /// Children that are none of the supervisor's doing. Whoever executed us may have had some.
    strangers: Vec<Pid>,
    released: bool,
}

impl Guard {
    /// Catches signals, then divides this process, so that none is lost. None in the supervisor.
    ///
    /// # Errors
    ///
    /// If there is no room for another process. Then nothing has changed.
    pub(super) fn begin() -> io::Result<Option<Self>> {
        let signals = CaughtSignals::catch(job_signals())?;
        let strangers = own_children();
        // The supervisor, which does the same, says so if it fails.
        drop(adopt_orphans());
        let half = divide(signals, VARIABLE)?;
        let Half::Guardian { supervisor, link, signals } = half else { return Ok(None) };
        Ok(Some(Self {
            supervisor,
            signals,
            link: Some(link),
            listening: false,
            service: Service::from_environment(),
            strangers,
            released: false,
        }))
    }

    /// Stands guard until the supervisor has ended, ends what it left, and answers the exit code.
    pub(super) fn stand(mut self) -> u8 {
        unmap_file_pages(); // It needs few of them from here on.
        let exit = loop {
            self.wait();
            self.hear();
            self.pass_on_all();
            if let Some(exit) = self.look() {
                break exit;
            }
        };
        self.hear();
        let may_stay = self.released && matches!(exit, Exit::Code(_));
        let left = if may_stay { Left::default() } else { self.sweep() };
        if let Some(failure) = self.verdict(exit, &left) {
            say(&failure_line(style(), &failure));
        }
        code(exit)
    }

    fn wait(&self) {
        let mut open = vec![PollFd::new(&self.signals, PollFlags::IN)];
        open.extend(self.link.as_ref().map(|link| PollFd::new(link, PollFlags::IN)));
        // Also returns when a signal interrupts it; then there is something to do, too.
        let _ = poll(&mut open, None);
    }

    /// Reads what the supervisor reported.
    fn hear(&mut self) {
        let mut byte = [0];
        while let Some(link) = &mut self.link {
            match link.read(&mut byte) {
                Ok(1..) => self.note(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.link = None,
            }
        }
    }

    fn note(&mut self, byte: u8) {
        match Report::from_byte(byte) {
            Some(Report::Listening) => self.listening = true,
            Some(Report::Standing(standing)) => self.service.tell(standing),
            Some(Report::Released) => self.released = true,
            None => {}
        }
    }

    fn pass_on_all(&mut self) {
        while let Some(signal) = self.signals.take() {
            self.pass_on(signal);
        }
    }

    fn pass_on(&mut self, signal: Signal) {
        if signal == Signal::Chld {
            return; // For us; the children are looked at next.
        }
        let is_job_control = matches!(signal, Signal::Tstp | Signal::Cont);
        if is_job_control || !self.listening || !self.tell(signal) {
            self.send(signal);
        }
    }

    /// By the link. False if that cannot be.
    fn tell(&mut self, signal: Signal) -> bool {
        let number = signal_number(signal).and_then(|number| u8::try_from(number).ok());
        let (Some(link), Some(number)) = (&mut self.link, number) else { return false };
        link.write(&[number]).is_ok_and(|length| length == 1)
    }

    /// As a signal. The supervisor is not reaped, so its number is its own.
    fn send(&self, signal: Signal) {
        let number = signal_number(signal).and_then(RawSignal::from_named_raw);
        if let (Some(pid), Some(signal)) = (RawPid::from_raw(self.supervisor), number) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Looks at the children; answers how the supervisor ended, if it did.
    fn look(&mut self) -> Option<Exit> {
        while let Some(ChildChange { pid, change }) = next_change() {
            match change {
                Change::Ended(exit) if pid == self.supervisor => return Some(exit),
                Change::Stopped if pid == self.supervisor => self.follow_stop(),
                Change::Ended(_) => self.stranger_ended(pid),
                Change::Stopped => {}
            }
        }
        None
    }

    /// The supervisor's answer to SIGTSTP is to stop itself, after its trees. What the shell waits
    /// for is that we do so, too. When we are continued, or where the stop was taken back meanwhile,
    /// or was never asked for, the supervisor goes on.
    fn follow_stop(&mut self) {
        self.pass_on_all();
        self.signals.stop_if_asked();
        self.send(Signal::Cont);
    }

    /// While the supervisor lives its orphans fall to it: new children of ours are what the
    /// stranger left behind.
    fn stranger_ended(&mut self, pid: Pid) {
        if self.strangers.contains(&pid) {
            self.strangers = own_children();
            self.strangers.retain(|&child| child != self.supervisor);
        }
    }

    /// Ends all that fell to us.
    fn sweep(&mut self) -> Left {
        let mut sweep = Sweep::after(self.supervisor, std::mem::take(&mut self.strangers));
        let deadline = Instant::now() + UNKILLABLE;
        loop {
            while self.signals.take().is_some() {}
            let survivors = sweep.round();
            let patience = deadline.saturating_duration_since(Instant::now());
            if survivors.is_empty() || patience.is_zero() {
                return Left { killed: sweep.killed(), survivors };
            }
            await_one(&self.signals, PollFlags::IN, patience);
        }
    }

    /// What there is to say at the end; nothing if the supervisor ended in order.
    fn verdict(&self, exit: Exit, left: &Left) -> Option<Failure> {
        let ended = match exit {
            Exit::Signal(signal) => format!("was ended by {signal}"),
            Exit::Code(_) | Exit::Unknown if left.is_nothing() => return None,
            Exit::Code(_) | Exit::Unknown => "ended and left processes behind".to_owned(),
        };
        let supervisor = format!("the supervisor (pid {}) {ended}", self.supervisor);
        Some(left.tell(&supervisor))
    }
}

/// What was below us after the end of the supervisor.
#[derive(Default)]
struct Left {
    killed: usize,
    survivors: Vec<Pid>,
}

impl Left {
    fn is_nothing(&self) -> bool {
        self.killed == 0 && self.survivors.is_empty()
    }

    fn tell(&self, supervisor: &str) -> Failure {
        if self.survivors.is_empty() {
            let killed = processes::count(self.killed);
            let message = format!("{supervisor}; SIGKILL ended {killed} that it had");
            return Failure::new(Code::Failed, message);
        }
        let survivors: Vec<_> = self.survivors.iter().copied().map(processes::describe).collect();
        let survivors = survivors.join(", ");
        let message = format!("{supervisor}; still there, long after SIGKILL: {survivors}");
        Failure::new(Code::Unkillable, message)
    }
}

fn code(exit: Exit) -> u8 {
    Ending::Final(exit).exit_code(signal_number)
}

/// Writes a line to stderr, unless nobody reads there.
pub(super) fn say(line: &str) {
    let mut stderr = io::stderr();
    if await_one(&stderr, PollFlags::OUT, LAST_WORDS) {
        // Nowhere is left to say that stderr cannot be written.
        drop(stderr.write_all(format!("{line}\n").as_bytes()));
    }
}

/// Waits for this alone. False if it did not come in time, or if a signal came first.
fn await_one(what: &impl AsFd, flags: PollFlags, patience: Duration) -> bool {
    let patience = Timespec::try_from(patience).ok();
    poll(&mut [PollFd::new(what, flags)], patience.as_ref()).is_ok_and(|ready| ready > 0)
}
