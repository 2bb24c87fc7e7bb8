//! On a terminal, and what is followed.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::stage::{Stage, eventually};

/// A `worker` whose output is a terminal of 80 columns.
pub(crate) struct OnTerminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl OnTerminal {
    fn start(command: Command) -> Self {
        Self::open(command, |command, _| command)
    }

    /// One that also reads what is typed.
    pub(crate) fn typed(command: Command) -> Self {
        Self::open(command, |command, slave| command.stdin(slave))
    }

    fn open(
        mut command: Command,
        attach: impl FnOnce(&mut Command, Stdio) -> &mut Command,
    ) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        let side = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        attach(&mut command, side(&slave))
            .env("TERM", "xterm")
            .stdout(side(&slave))
            .stderr(side(&slave));
        let child = command.spawn().unwrap();
        drop((slave, command));
        let master = File::from(master);
        let keyboard = master.try_clone().unwrap();
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let keep = Arc::clone(&screen);
        std::thread::spawn(move || {
            let (mut master, mut buffer) = (master, [0; 4096]);
            // Fails when nobody holds the other side any more.
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                keep.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self { child, keyboard, screen }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn expect(&self, text: &str) {
        eventually(&format!("{text:?} on the screen"), || self.text().contains(text));
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_start_shows_what_it_waits_for_and_ctrl_c_leaves_the_slot_to_the_daemon() {
    let mut stage = Stage::new();
    let mut start = OnTerminal::start(stage.worker("start slow"));
    start.expect("starting\u{1b}[0m for ");
    start.expect(", waiting for /never/ in its output");
    start.signal(Signal::INT);
    start.expect("the daemon goes on with shop/slow: worker status");
    assert_eq!(start.code(), Some(130));
    stage.await_state("slow", "starting");
}

#[test]
fn the_last_line_of_output_is_shown_while_it_is_waited() {
    let stage = Stage::new();
    stage.write(
        "[slots.build]\ncommand = [\"sh\", \"-c\", \"echo compiling; exec sleep 1000\"]\n\
         ready = { log = \"never\" }\n",
    );
    let start = OnTerminal::start(stage.worker("start build"));
    start.expect("  | compiling");
}

#[test]
fn a_watch_writes_over_what_it_showed_when_something_happens() {
    let mut stage = Stage::new();
    stage.run("up");
    let watch = OnTerminal::start(stage.worker("status --watch"));
    watch.expect("\u{1b}[32mrunning");
    stage.run("stop api");
    watch.expect("4 slots: 4 stopped");
    let text = watch.text();
    assert!(text.contains("\u{1b}[7A"), "it goes up, and clears nothing first: {text:?}");
    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
}

#[test]
fn colours_can_be_chosen() {
    let mut stage = Stage::new();
    stage.run("up");
    assert!(stage.run("--color=always status").stdout.contains("\u{1b}[32mrunning"));
    assert!(!stage.run("status").stdout.contains('\u{1b}'));
    let mut plain = OnTerminal::start(stage.worker("status --color=never"));
    assert_eq!(plain.code(), Some(0));
    plain.expect("4 slots: 1 running, 3 stopped");
    assert!(!plain.text().contains('\u{1b}'));
    let mut command = stage.worker("status");
    command.env("NO_COLOR", "1");
    let mut plain = OnTerminal::start(command);
    assert_eq!(plain.code(), Some(0));
    plain.expect("4 slots: 1 running, 3 stopped");
    assert!(!plain.text().contains('\u{1b}'));
}

#[test]
fn elsewhere_than_on_a_terminal_a_start_says_each_turn_in_a_line() {
    let stage = Stage::new();
    let mut command = stage.worker("start slow");
    let mut start = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(start.stderr.take().unwrap());
    assert_eq!(line(&mut said), "shop/slow: starting, waiting for /never/ in its output\n");
    end(start);
}

#[test]
fn a_wait_for_a_slot_at_rest_says_so_and_ends_when_somebody_starts_it() {
    let mut stage = Stage::new();
    stage.run("up");
    stage.run("stop api");
    let mut command = stage.worker("wait --for ready api");
    let mut wait = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(wait.stderr.take().unwrap());
    let expected = "worker: shop/api is stopped; waiting until somebody starts it\n";
    assert_eq!(line(&mut said), expected);
    stage.run("start api");
    assert_eq!(wait.wait().unwrap().code(), Some(0));
}

#[test]
fn a_watch_elsewhere_than_on_a_terminal_repeats_the_block_when_something_changed() {
    let mut stage = Stage::new();
    stage.run("up");
    let mut watch = stage.worker("status --watch --json").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap());
    assert!(line(&mut lines).contains(r#""slot":"shop/api","state":"running""#));
    stage.run("stop api");
    while !line(&mut lines).contains(r#""slot":"shop/api","state":"stopped""#) {}
    end(watch);
}

#[test]
fn logs_and_events_are_followed() {
    let mut stage = Stage::new();
    stage.run("up");
    let follow = |words: &str| {
        let mut child = stage.worker(words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (child, lines)
    };
    let (logs, mut logged) = follow("logs -f api slow");
    assert!(line(&mut logged).contains("shop/api  out listening on "));
    let (events, mut happened) = follow("events -f api --json");
    assert!(line(&mut happened).contains(r#""event":"starting""#));
    stage.run("restart api");
    assert!(line(&mut logged).contains("shop/api  out listening on "));
    while !line(&mut happened).contains(r#""run":2,"event":"ready""#) {}
    end(logs);
    end(events);
}

#[test]
fn slots_that_appear_while_logs_are_followed_are_shown_too() {
    let mut stage = Stage::new();
    let follow = |words: &str| {
        let mut command = stage.worker(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It listens when it says that there is nothing yet.
        let mut said = BufReader::new(child.stderr.take().unwrap());
        assert_eq!(line(&mut said), "worker: nothing to follow yet: waiting for a start\n");
        let lines = BufReader::new(child.stdout.take().unwrap());
        (child, lines)
    };
    let (all, mut of_all) = follow("logs -f");
    let (agents, mut of_agents) = follow("logs -f agent");
    let (one, mut of_one) = follow("logs -f agent@2");
    for words in ["start api", "start agent@1", "start agent@2"] {
        assert_eq!(stage.run(words).code, 0);
    }
    assert!(line(&mut of_all).contains(" shop/api out listening on "));
    for (name, said) in [("shop/agent@1", "agent 1"), ("shop/agent@2", "agent 2")] {
        assert!(line(&mut of_all).ends_with(&format!(" {name} out {said}\n")));
        assert!(line(&mut of_agents).ends_with(&format!(" {name} out {said}\n")));
    }
    assert!(line(&mut of_one).ends_with(" out agent 2\n"));
    let agents_so_far = stage.run("logs agent");
    assert_eq!(agents_so_far.stdout.lines().count(), 2, "{}", agents_so_far.stdout);
    // What is there already is followed from its past on, and nothing is shown twice.
    let mut command = stage.worker("logs -f agent --json");
    let mut again = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut of_again = BufReader::new(again.stdout.take().unwrap());
    assert!(line(&mut of_again).contains(r#""line":"agent 1""#));
    assert!(line(&mut of_again).contains(r#""line":"agent 2""#));
    stage.run("restart agent@2");
    assert!(line(&mut of_again).contains(r#""slot":"shop/agent@2""#));
    stage.run("start agent@3");
    assert!(line(&mut of_again).contains(r#""line":"agent 3""#));
    [all, agents, one, again].into_iter().for_each(end);
}

#[test]
fn variables_that_json_cannot_hold_are_named_once_and_the_others_are_passed_on() {
    let stage = Stage::new();
    let start = |words: &str| {
        let mut worker = stage.worker(words);
        worker.env("ODD", OsStr::from_bytes(b"a\xffb")).env(OsStr::from_bytes(b"\xff"), "odd");
        let output = worker.env("FINE", "yes").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let left_out = "not UTF-8, so the slots do not get them: ODD, \u{fffd}";
    let said = start("start api agent@one");
    assert_eq!(said.matches(left_out).count(), 1, "{said}");
    let said = start("restart api --json");
    assert_eq!(said.matches(left_out).count(), 1, "{said}");
    assert!(said.starts_with('{'), "{said}");
    let env = stage.worker("env api").output().unwrap().stdout;
    let env = String::from_utf8(env).unwrap();
    assert!(env.contains("FINE=yes\n") && !env.contains("ODD"), "{env}");
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    assert_ne!(from.read_line(&mut line).unwrap(), 0, "it ended");
    line
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
