//! The agent of the demo: a program that knows nothing of supervisors and behaves badly.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use rustix::process::{Signal, getpid, kill_process, setsid};

use crate::args::Role;

/// Memory that it holds, in bytes.
const BALLOON: usize = 32 << 20;

/// How long it works before it is killed.
const LIFE: Duration = Duration::from_millis(800);

/// Plays the role.
pub fn play(role: Role) -> ExitCode {
    let played = match role {
        Role::Agent => agent(),
        Role::Child | Role::Daemon => linger(),
        Role::Escapee => setsid().map_err(Into::into).and_then(|_| linger()),
        Role::Daemonizer => setsid().map_err(Into::into).and_then(|_| start(Role::Daemon)),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it stands for a program that is not ours")]
fn agent() -> std::io::Result<()> {
    let balloon = vec![1_u8; BALLOON];
    for role in [Role::Child, Role::Escapee, Role::Daemonizer] {
        let mut child = command(role)?.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if role == Role::Daemonizer {
            child.wait()?;
        }
    }
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    std::thread::sleep(LIFE);
    black_box(balloon);
    Ok(kill_process(getpid(), Signal::KILL)?)
}

/// Says that it is there, and stays for ever.
fn linger() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "up")?;
    loop {
        std::thread::park();
    }
}

fn start(role: Role) -> std::io::Result<()> {
    command(role)?.spawn().map(drop)
}

fn command(role: Role) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let name = role.to_possible_value().map(|value| value.get_name().to_owned());
    command.arg("__agent").args(name).stdin(Stdio::null());
    Ok(command)
}
