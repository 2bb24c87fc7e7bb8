//! Leaders that answer: each keeps a connection to its test, does what it is told, and ends with it.

use std::env;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process;

use worker_core::{RunId, Spawn};
use worker_platform_windows::{Command, Input, Output, WindowsPlatform};

/// Where a leader finds its test.
const ADDRESS: &str = "WORKER_TEST_ADDRESS";

const PING: u8 = b'?';
const PONG: u8 = b'!';
const EXIT_3: u8 = b'3';
const ABORT: u8 = b'a';
const FORK: u8 = b'f';

/// The other end of a leader, or of its child. When it is dropped the process ends.
pub(crate) struct Peer(TcpStream);

impl Peer {
    /// Whether the process still answers.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.0.write_all(&[PING]).is_ok() && self.0.read_exact(&mut [PONG]).is_ok()
    }

    pub(crate) fn exit_with_3(&mut self) {
        self.tell(EXIT_3);
    }

    pub(crate) fn abort(&mut self) {
        self.tell(ABORT);
    }

    fn tell(&mut self, word: u8) {
        self.0.write_all(&[word]).expect("the process lives");
    }
}

/// Where processes come in.
pub(crate) struct Door(TcpListener);

impl Door {
    pub(crate) fn open() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free"))
    }

    /// Spawns a leader, and waits until it is there.
    pub(crate) async fn leader(&self, platform: &WindowsPlatform, run: RunId) -> Peer {
        let command = self.command();
        platform.spawn(run, command).await.expect("the test itself can be executed");
        self.accept()
    }

    /// Lets a process spawn a child of its own, and waits until that is there.
    pub(crate) fn child_of(&self, parent: &mut Peer) -> Peer {
        parent.tell(FORK);
        self.accept()
    }

    /// What a leader of this door is spawned by.
    pub(crate) fn command(&self) -> Command {
        let address = self.0.local_addr().expect("it is bound").to_string();
        Command {
            program: env::current_exe().expect("a test has a path"),
            args: ["--exact", "leader", "--include-ignored"].map(OsString::from).into(),
            env: vec![system_root(), (ADDRESS.into(), address.into())],
            dir: env::temp_dir(),
            stdin: Input::Null,
            stdout: Output::Null,
            stderr: Output::Inherit,
        }
    }

    fn accept(&self) -> Peer {
        Peer(self.0.accept().expect("the process connects").0)
    }
}

/// The life of a leader, or of its child.
pub(crate) fn live() {
    let address: SocketAddr = env::var(ADDRESS).expect("set by the test").parse().expect("ditto");
    let mut test = TcpStream::connect(address).expect("the test listens");
    let mut word = [0];
    // The end of the test is an end-of-file or a reset.
    while test.read_exact(&mut word).is_ok() {
        match word[0] {
            PING => test.write_all(&[PONG]).expect("the test listens"),
            FORK => fork(),
            ABORT => process::abort(),
            EXIT_3 => process::exit(3),
            other => panic!("no such word: {other}"),
        }
    }
}

fn fork() {
    let program = env::current_exe().expect("a test has a path");
    let mut child = process::Command::new(program);
    child.args(env::args_os().skip(1)).stdin(process::Stdio::null());
    child.spawn().expect("what was executed once can be executed again");
}

fn system_root() -> (OsString, OsString) {
    ("SystemRoot".into(), env::var_os("SystemRoot").unwrap_or_else(|| r"C:\windows".into()))
}

/// A folder with a file in it that is no program.
pub(crate) fn text_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("notes.exe");
    std::fs::write(&file, "no program").expect("a file can be written");
    (folder, file)
}
