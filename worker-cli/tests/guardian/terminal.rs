//! `worker run` in a real terminal, under a shell with job control.
#![expect(
    clippy::disallowed_methods,
    reason = "a test is the parent of the program that it tests, and some facts can only be polled"
)]

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use tempfile::TempDir;

use crate::common::{IDLE, Lines, eventually, lives, parent, state};

/// A terminal with a shell in it.
pub(crate) struct Terminal {
    master: File,
    screen: Lines,
    /// The end of it ends the reading of the screen.
    open: PipeWriter,
    shell: Child,
    folder: TempDir,
}

/// What the terminal shows, until the other end of `open` is closed.
struct Screen {
    master: File,
    open: PipeReader,
}

impl Read for Screen {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut fds =
            [PollFd::new(&self.open, PollFlags::IN), PollFd::new(&self.master, PollFlags::IN)];
        poll(&mut fds, None)?;
        let is_over = !fds[0].revents().is_empty();
        if is_over { Ok(0) } else { self.master.read(buffer) }
    }
}

impl Terminal {
    /// A shell that leads a session, with the terminal as its controlling one.
    pub(crate) fn with_shell() -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let side = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-i"]).env("PS1", "").env_remove("ENV");
        command.env("WORKER", env!("CARGO_BIN_EXE_worker")).current_dir(folder.path());
        command.env("WORKER_STATE_DIR", folder.path().join("state"));
        command.stdin(side(&slave)).stdout(side(&slave)).stderr(side(&slave));
        let shell = command.spawn().unwrap();
        let master = File::from(master);
        let (reader, open) = io::pipe().unwrap();
        let screen = Lines::of(Screen { master: master.try_clone().unwrap(), open: reader });
        Self { master, screen, open, shell, folder }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a command, and waits for the first line that it prints with `text` in it.
    pub(crate) fn run(&mut self, command: &str, text: &str) -> String {
        self.press(&format!("{command}\n"));
        self.screen.expect(text)
    }

    /// Starts a `worker run` with its output in a pipe that we read, and waits for its `up`.
    fn start_worker(&mut self, script: &str) -> Job {
        self.start_worker_with("", script)
    }

    /// The same with options.
    pub(crate) fn start_worker_with(&mut self, options: &str, script: &str) -> Job {
        let script_file = self.file("script");
        std::fs::write(&script_file, script).unwrap();
        let pipe = self.file("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        self.press(&format!("\"$WORKER\" run {options} -- sh ./script > pipe\n"));
        // Opens when the shell opens the other end.
        let output = Lines::of(File::open(pipe).unwrap());
        let up = output.expect("up ");
        let leader = up.rsplit(' ').next().unwrap().parse().unwrap();
        let supervisor = parent(leader);
        Job { output, leader, supervisor, guardian: parent(supervisor) }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The exit code of the last command.
    pub(crate) fn code(&mut self) -> i32 {
        // The line that was typed is echoed, and does not match. Nor does anything that worker says.
        let line = self.run("echo \"the shell \"\"saw $?\"", "the shell saw ");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) fn leave(mut self) {
        self.press("exit\n");
        self.shell.wait().unwrap();
    }
}

/// A `worker run` in the terminal.
pub(crate) struct Job {
    pub(crate) output: Lines,
    leader: i32,
    supervisor: i32,
    guardian: i32,
}

impl Job {
    pub(crate) fn states(&self) -> [Option<char>; 3] {
        [self.guardian, self.supervisor, self.leader].map(state)
    }

    /// Every process that holds the output has ended, and it is the whole tree.
    fn check_gone(&self) {
        self.output.rest();
        // A process lets go of its output a moment before it is dead.
        let all = [self.guardian, self.supervisor, self.leader];
        eventually("all to be dead", || !all.into_iter().any(lives));
    }
}

/// Ends with a code of its own, a moment after it was asked to, and has an escapee.
fn orderly() -> String {
    format!("trap 'echo asked; sleep 0.1; exit 9' TERM; setsid sleep 60 & {IDLE}")
}

#[test]
fn ctrl_c_stops_everything_and_the_shell_sees_the_code() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&orderly());
    terminal.press("\x03");
    assert_eq!(job.output.rest(), ["asked"], "it was asked once, and had its grace");
    assert_eq!(terminal.code(), 9);
    job.check_gone();
    terminal.leave();
}

#[test]
fn ctrl_c_twice_ends_it_at_once() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&format!("trap 'echo asked' TERM; {IDLE}"));
    terminal.press("\x03");
    job.output.expect("asked");
    terminal.press("\x03");
    job.output.rest();
    assert_eq!(terminal.code(), 137);
    terminal.leave();
}

#[test]
fn ctrl_backslash_reaches_the_command() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&format!("trap 'echo quit' QUIT; {}", orderly()));
    terminal.press("\x1c");
    job.output.expect("quit");
    terminal.press("\x03");
    assert_eq!(job.output.rest(), ["asked"]);
    assert_eq!(terminal.code(), 9);
    terminal.leave();
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_goes_on() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&orderly());
    terminal.press("\x1a");
    // The shell answers once the job has stopped.
    assert_eq!(terminal.run("echo \"it \"\"stopped\"", "it stopped"), "it stopped");
    assert_eq!(job.states()[..2], [Some('T'); 2]);
    // It has its SIGSTOP, and stops as soon as it gets the processor.
    eventually("the leader to stop", || job.states()[2] == Some('T'));
    terminal.press("fg\n");
    eventually("all to go on", || !job.states().contains(&Some('T')));
    terminal.press("\x03");
    assert_eq!(job.output.rest(), ["asked"]);
    assert_eq!(terminal.code(), 9);
    job.check_gone();
    terminal.leave();
}

#[test]
fn a_job_in_the_background_is_not_stopped_for_its_messages() {
    let mut terminal = Terminal::with_shell();
    terminal.run("stty tostop; echo \"do\"\"ne\"", "done");
    let job = terminal.start_worker(&orderly());
    terminal.press("\x1a");
    terminal.run("bg; echo \"in the \"\"background\"", "in the background");
    eventually("all to go on", || !job.states().contains(&Some('T')));
    // It says on the terminal that it stops.
    terminal.run("kill %1", "SIGTERM: stopping");
    assert_eq!(job.output.rest(), ["asked"]);
    job.check_gone();
    terminal.leave();
}

#[test]
fn closing_the_terminal_ends_everything() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&orderly());
    close(terminal);
    assert_eq!(job.output.rest(), ["asked"], "it had its grace");
    job.check_gone();
}

#[test]
fn closing_the_terminal_ends_a_job_that_is_stopped() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&orderly());
    terminal.press("\x1a");
    terminal.run("echo \"it \"\"stopped\"", "it stopped");
    close(terminal);
    job.check_gone();
}

#[test]
fn a_supervisor_that_is_killed_gives_the_shell_back() {
    let mut terminal = Terminal::with_shell();
    let job = terminal.start_worker(&format!("trap '' TERM; setsid sleep 60 & {IDLE}"));
    crate::common::send(job.supervisor, rustix::process::Signal::KILL);
    job.output.rest();
    assert_eq!(terminal.code(), 137);
    job.check_gone();
    terminal.leave();
}

/// Hangs up, as a terminal window does that is closed.
fn close(terminal: Terminal) {
    let Terminal { master, screen, open, mut shell, folder } = terminal;
    drop(open);
    screen.rest();
    drop(master);
    shell.wait().unwrap();
    drop(folder);
}
