//! Under a service manager, and as PID 1.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt};
use rustix::process::Signal;

use crate::common::{IDLE, LONG, prepared, send, worker};

/// A message, and the process that the kernel says it comes from.
fn receive(socket: &UnixDatagram) -> (String, i32) {
    let mut message = [0; 512];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [IoSliceMut::new(&mut message)];
    let received = recvmsg(socket, &mut buffers, &mut ancillary, RecvFlags::empty()).unwrap();
    let sender = ancillary.drain().find_map(|item| match item {
        RecvAncillaryMessage::ScmCredentials(from) => Some(from.pid.as_raw_nonzero().get()),
        RecvAncillaryMessage::ScmRights(_) | _ => None,
    });
    (String::from_utf8_lossy(&message[..received.bytes]).into_owned(), sender.unwrap())
}

#[test]
fn the_process_that_was_started_tells_the_service_manager_how_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    sockopt::set_socket_passcred(&socket, true).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let script = format!(
        "trap 'exit 0' TERM; echo \"socket ${{NOTIFY_SOCKET-none}} ${{WORKER_GUARDIAN-none}}\"; {IDLE}"
    );
    let mut command = worker(&["--ready", "log=socket"], &script);
    command.env("NOTIFY_SOCKET", &path);
    let mut child = command.spawn().unwrap();
    let guardian = i32::try_from(child.id()).unwrap();
    let output = crate::common::Lines::of(child.stdout.take().unwrap());
    assert_eq!(output.expect("socket"), "socket none none");
    assert_eq!(receive(&socket), ("READY=1".to_owned(), guardian));
    send(guardian, Signal::TERM);
    assert_eq!(receive(&socket), ("STOPPING=1".to_owned(), guardian));
    output.rest();
    #[expect(clippy::disallowed_methods, reason = "the test started it")]
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0]).is_err(), "nothing is said twice");
}

#[test]
fn as_pid_1_there_is_no_second_process() {
    if let Some(reason) = no_namespace() {
        println!("skipped: no PID namespace can be made here: {reason}");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", env!("CARGO_BIN_EXE_worker"), "run", "--"]);
    // In the new namespace the leader's parent is PID 1, and PID 1 is the supervisor.
    let script = format!("echo parent $PPID; trap 'exit 6' TERM; echo up $$; kill -TERM 1; {IDLE}");
    command.args(["sh", "-c", &script]);
    let mut command = prepared(command);
    let mut child = command.spawn().unwrap();
    let output = crate::common::Lines::of(child.stdout.take().unwrap());
    assert_eq!(output.expect("parent"), "parent 1");
    output.rest();
    #[expect(clippy::disallowed_methods, reason = "the test started it")]
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(6));
}

fn no_namespace() -> Option<String> {
    let mut probe = Command::new("unshare");
    probe.args(["--pid", "--fork", "--mount-proc", "true"]).stdin(Stdio::null());
    #[expect(clippy::disallowed_methods, reason = "a test may wait for a program")]
    let output = probe.output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
