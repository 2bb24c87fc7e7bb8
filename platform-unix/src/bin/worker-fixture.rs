//! A process that misbehaves as it is told: its arguments are a script, carried out in turn.
//!
//! ```text
//! worker-fixture fork { setsid up child sleep } up leader sleep
//! ```
//!
//! | word | does |
//! | --- | --- |
//! | `up NAME` | prints `up NAME PID`: this process is where the script wants it |
//! | `print TEXT` | prints it |
//! | `print-descriptors` | prints which descriptors are open |
//! | `sleep`, `hold` | sleeps for ever, with all that it has open |
//! | `pause MS` | sleeps for so many milliseconds |
//! | `wait` | waits until all children have ended |
//! | `exit N`, `die SIGNAL` | ends itself |
//! | `stop` | stops itself |
//! | `ignore SIGNAL` | ignores it from here on |
//! | `on SIGNAL { … }` | carries this out for each such signal during `sleep` |
//! | `fork { … }` | a child carries this out, then exits with 0 |
//! | `daemon { … }` | the same, in a session of its own and without a parent (double fork) |
//! | `setsid`, `setpgid` | leaves the session, the group |
//! | `join GROUP` | joins a group of the same session |
//! | `respawn-pair`, `respawn-pair-setsid` | two processes, each of which replaces the other when it dies |
//! | `fork-many N` | forks so many sleeping children, one each 100 µs |
//! | `swarm N` | so many sleeping children, each `up`, every other one a `daemon` |
//! | `listen PORT` | listens on it (0: any) and prints `listening PORT` |
//! | `balloon MB` | uses so much memory |
//! | `clear-env { … }`, `with-env K=V { … }` | executes itself with another environment |
//! | `supervise { … }` | spawns this as a run of a platform of its own, and keeps hold of it |
//! | `supervise-in-cgroup { … }` | the same, in a cgroup of the run's own |
//! | `enter FOLDER` | enters the cgroup of this folder |
//! | `lock FILE` | locks it, prints `locked`, ends its first thread, and itself with stdin |
//! | `wipe` | overwrites its arguments and environment in place |
//!
//! It is also the shim of the tests.
//!
//! Whatever happens, each of the processes ends by SIGALRM two minutes after the start.

use std::ffi::OsString;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::time::{Duration, Instant};

use worker_core::{Kill, RunId, Spawn};
use worker_platform_unix::{Input, Output, Shim, UnixPlatform, shim};

const LIFETIME: Duration = Duration::from_secs(120);

fn main() {
    shim::exec_if_asked();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut fixture =
        Fixture { death: Instant::now() + LIFETIME, on: Vec::new(), kept: Vec::new() };
    fixture.arm_death();
    fixture.carry_out(&words);
}

struct Fixture {
    death: Instant,
    /// Signals with what is to be done about them.
    on: Vec<(i32, Vec<String>)>,
    /// What is held until the end.
    kept: Vec<Kept>,
}

#[expect(dead_code, reason = "held, never looked at")]
enum Kept {
    Listener(TcpListener),
    Memory(Vec<u8>),
}

impl Fixture {
    fn carry_out(&mut self, mut words: &[String]) {
        while let Some((word, rest)) = words.split_first() {
            words = self.step(word, rest);
        }
    }

    /// Carries out one word with its arguments, and returns what is behind them.
    fn step<'a>(&mut self, word: &str, rest: &'a [String]) -> &'a [String] {
        match word {
            "up" => with_text(rest, |name| say(&format!("up {name} {}", std::process::id()))),
            "print" => with_text(rest, say),
            "print-descriptors" => without(rest, print_descriptors),
            "sleep" | "hold" => without(rest, || self.sleep()),
            "pause" => with_number(rest, |ms| pause(Duration::from_millis(ms))),
            "wait" => without(rest, wait_for_children),
            "exit" => with_number(rest, |code| exit(i32::try_from(code).unwrap_or(1))),
            "die" => with_text(rest, |name| raise(signal(name))),
            "stop" => without(rest, || raise(libc::SIGSTOP)),
            "ignore" => with_text(rest, |name| ignore(signal(name))),
            "on" => self.on(rest),
            "fork" => with_block(rest, |block| self.fork(|child| child.carry_out(block))),
            "daemon" => with_block(rest, |block| self.daemon(|child| child.carry_out(block))),
            "setsid" => without(rest, setsid),
            "setpgid" => without(rest, || join(0)),
            "join" => with_number(rest, join),
            "respawn-pair" => without(rest, || self.respawn_pair(|| {})),
            "respawn-pair-setsid" => without(rest, || self.respawn_pair(setsid)),
            "fork-many" => with_number(rest, |count| self.fork_many(count)),
            "swarm" => with_number(rest, |count| self.swarm(count)),
            "listen" => with_number(rest, |port| self.listen(port)),
            "balloon" => with_number(rest, |megabytes| self.balloon(megabytes)),
            "clear-env" => with_block(rest, |block| {
                execute_self(block, |command| {
                    command.env_clear();
                })
            }),
            "with-env" => self.with_env(rest),
            "supervise" => with_block(rest, |block| supervise(UnixPlatform::new, block)),
            "supervise-in-cgroup" => with_block(rest, |block| supervise(with_cgroups, block)),
            "enter" => with_text(rest, enter),
            "lock" => with_text(rest, lock),
            "wipe" => without(rest, wipe),
            other => fail(&format!("no such word: {other}")),
        }
    }

    /// Sleeps for ever, and does what `on` said about each signal.
    fn sleep(&mut self) {
        let numbers: Vec<i32> = self.on.iter().map(|&(number, _)| number).collect();
        loop {
            let number = wait_for_signal(&numbers);
            let block =
                self.on.iter().find(|&&(on, _)| on == number).map(|(_, block)| block.clone());
            self.carry_out(&block.unwrap_or_default());
        }
    }

    fn on<'a>(&mut self, rest: &'a [String]) -> &'a [String] {
        let (name, rest) = rest.split_first().unwrap_or_else(|| fail("on: which signal?"));
        let number = signal(name);
        block_signal(number);
        self.on.retain(|&(on, _)| on != number); // Inherited from before a fork.
        with_block(rest, |block| self.on.push((number, block.to_vec())))
    }

    fn fork(&mut self, child: impl FnOnce(&mut Self)) {
        // SAFETY: this process has one thread.
        match unsafe { libc::fork() } {
            -1 => fail("fork failed"),
            0 => {
                self.arm_death(); // A child does not inherit the alarm.
                child(self);
                exit(0);
            }
            _ => {}
        }
    }

    fn daemon(&mut self, child: impl FnOnce(&mut Self)) {
        self.fork(|between| {
            setsid();
            between.fork(child);
        });
        // SAFETY: no memory of ours is written to.
        unsafe { libc::wait(std::ptr::null_mut()) };
    }

    /// Both halves run this loop. The child sees the parent die by the end of a pipe that only the
    /// parent holds the other end of, and becomes the parent of a new child.
    fn respawn_pair(&mut self, leave: impl Fn()) {
        let mut is_first = true;
        loop {
            let (reader, writer) = std::io::pipe().unwrap_or_else(|_| fail("pipe failed"));
            // SAFETY: this process has one thread.
            let child = unsafe { libc::fork() };
            self.arm_death();
            if child == 0 {
                drop(writer);
                leave();
                let _ = std::io::copy(&mut { reader }, &mut std::io::sink());
            } else {
                drop(reader);
                if std::mem::take(&mut is_first) {
                    say(&format!("up pair {}", std::process::id()));
                }
                // SAFETY: no memory of ours is written to.
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
                drop(writer);
            }
        }
    }

    fn fork_many(&mut self, count: u64) {
        for _ in 0..count {
            self.fork(Self::sleep);
            pause(Duration::from_micros(100));
        }
    }

    fn swarm(&mut self, count: u64) {
        for index in 0..count {
            let member = |child: &mut Self| {
                say(&format!("up {index} {}", std::process::id()));
                child.sleep();
            };
            if index % 2 == 0 { self.fork(member) } else { self.daemon(member) }
        }
    }

    fn listen(&mut self, port: u64) {
        let port = u16::try_from(port).unwrap_or_else(|_| fail("listen: no such port"));
        let listener =
            TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|_| fail("bind failed"));
        say(&format!("listening {}", listener.local_addr().map_or(0, |address| address.port())));
        self.kept.push(Kept::Listener(listener));
    }

    fn balloon(&mut self, megabytes: u64) {
        let size = usize::try_from(megabytes).unwrap_or(0) * 1024 * 1024;
        self.kept.push(Kept::Memory(vec![1; size]));
    }

    fn with_env<'a>(&mut self, rest: &'a [String]) -> &'a [String] {
        let (pair, rest) = rest.split_first().unwrap_or_else(|| fail("with-env: which?"));
        let (name, value) = pair.split_once('=').unwrap_or_else(|| fail("with-env: K=V"));
        with_block(rest, |block| {
            execute_self(block, |command| {
                command.env(name, value);
            })
        })
    }

    fn arm_death(&self) {
        let left = self.death.saturating_duration_since(Instant::now()).as_secs().max(1);
        // SAFETY: sets a timer, touches no memory.
        unsafe { libc::alarm(u32::try_from(left).unwrap_or(1)) };
    }
}

// --- Words and their arguments -------------------------------------------------------------------

fn without(rest: &[String], act: impl FnOnce()) -> &[String] {
    act();
    rest
}

fn with_text(rest: &[String], act: impl FnOnce(&str)) -> &[String] {
    let (text, rest) = rest.split_first().unwrap_or_else(|| fail("a word lacks its argument"));
    act(text);
    rest
}

fn with_number(rest: &[String], act: impl FnOnce(u64)) -> &[String] {
    with_text(rest, |text| act(text.parse().unwrap_or_else(|_| fail("not a number"))))
}

/// Passes what is between `{` and the `}` that belongs to it.
fn with_block(rest: &[String], act: impl FnOnce(&[String])) -> &[String] {
    let mut depth = 0;
    for (index, word) in rest.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && index > 0 {
            act(&rest[1..index]);
            return &rest[index + 1..];
        }
    }
    fail("a block is not closed")
}

// --- What the words do ---------------------------------------------------------------------------

/// One write, so that lines of several processes do not mix.
fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

fn fail(message: &str) -> ! {
    let _ = writeln!(std::io::stderr(), "worker-fixture: {message}");
    exit(99)
}

fn signal(name: &str) -> i32 {
    let signal = worker_core::Signal::from_name(name).unwrap_or_else(|| fail("no such signal"));
    worker_platform_unix::signal_number(signal).unwrap_or_else(|| fail("no such signal here"))
}

fn ignore(number: i32) {
    // SAFETY: to ignore a signal runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_IGN) };
}

#[expect(clippy::disallowed_methods, reason = "to take its time is what it was told to do")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn raise(number: i32) {
    // SAFETY: a signal to this process, which it asked for.
    unsafe { libc::raise(number) };
}

fn set_of(numbers: &[i32]) -> libc::sigset_t {
    // SAFETY: all-zero bytes are a valid `sigset_t`, which is then filled in.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for &number in numbers {
            libc::sigaddset(&raw mut set, number);
        }
        set
    }
}

fn block_signal(number: i32) {
    let set = set_of(&[number]);
    // SAFETY: `set` is valid, and the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
}

fn wait_for_signal(numbers: &[i32]) -> i32 {
    let set = set_of(numbers);
    let mut number = 0;
    // SAFETY: both are valid for the length of the call. With an empty set it waits for ever.
    unsafe { libc::sigwait(&raw const set, &raw mut number) };
    number
}

fn wait_for_children() {
    // SAFETY: no memory of ours is written to.
    while unsafe { libc::wait(std::ptr::null_mut()) } > 0 {}
}

fn setsid() {
    let _ = rustix::process::setsid();
}

fn join(group: u64) {
    let group = i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::setpgid(None, group).unwrap_or_else(|_| fail("setpgid failed"));
}

fn with_cgroups() -> std::io::Result<UnixPlatform> {
    UnixPlatform::with_cgroups(Shim::this_program().unwrap_or_else(|| fail("no shim")))
}

fn enter(folder: &str) {
    let entrance = std::path::Path::new(folder).join("cgroup.procs");
    std::fs::write(entrance, "0").unwrap_or_else(|error| fail(&format!("{folder}: {error}")));
}

/// As a supervisor of several threads that is being killed: a zombie already, which has files open.
fn lock(path: &str) {
    let file = std::fs::File::open(path).unwrap_or_else(|error| fail(&format!("{path}: {error}")));
    file.lock().unwrap_or_else(|error| fail(&format!("{path}: {error}")));
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(file);
        exit(0);
    });
    say("locked");
    end_thread();
}

/// Ends this thread, and not the process.
fn end_thread() {
    // SAFETY: nothing that is on its stack is used by another thread.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::syscall(libc::SYS_exit, 0)
    };
    #[cfg(not(target_os = "linux"))]
    fail("the first thread cannot end alone here");
}

fn supervise(platform: fn() -> std::io::Result<UnixPlatform>, block: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|_| fail("no runtime"));
    runtime.block_on(async {
        let platform = platform().unwrap_or_else(|_| fail("no platform"));
        let command = worker_platform_unix::Command {
            program: std::env::current_exe().unwrap_or_else(|_| fail("who am I?")),
            args: block.iter().map(OsString::from).collect(),
            env: Vec::new(),
            dir: "/".into(),
            task_limit: None,
            stdin: Input::Null,
            stdout: Output::Inherit,
            stderr: Output::Inherit,
        };
        let run = RunId::new(1);
        platform.spawn(run, command).await.unwrap_or_else(|_| fail("spawn failed"));
        platform.tree_gone(run).await;
    });
}

fn execute_self(block: &[String], change: impl FnOnce(&mut Command)) {
    let own = std::env::current_exe().unwrap_or_else(|_| fail("who am I?"));
    let mut command = Command::new(own);
    change(command.args(block));
    let _ = command.exec();
    fail("exec failed")
}

fn print_descriptors() {
    for number in 0..1024 {
        // SAFETY: asks about a number, which need not be open.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0 {
            say(&format!("descriptor {number}"));
        }
    }
}

/// Zeroes the memory that `/proc/PID/cmdline` and `/proc/PID/environ` show, as programs do that set
/// their title. Fields 48 to 51 of proc_pid_stat(5) say where it is.
fn wipe() {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<usize> =
        stat.split(' ').skip(47).take(4).filter_map(|field| field.parse().ok()).collect();
    let &[arg_start, arg_end, env_start, env_end] = fields.as_slice() else { fail("no addresses") };
    // std reads neither again: the words were copied, and no variable is asked for after this.
    for (start, end) in [(arg_start, arg_end), (env_start, env_end)] {
        // SAFETY: the kernel says that this is our own writable memory.
        unsafe { std::ptr::write_bytes(start as *mut u8, 0, end - start) };
    }
}
