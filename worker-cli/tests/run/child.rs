//! A command for `worker run` to supervise: this test program itself, told by `ROLE` what to do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::common::{Worker, run};

/// `worker run OPTIONS --` this program in a role.
pub(crate) fn run_child(options: &[&str], role: &str) -> Worker {
    let this = std::env::current_exe().unwrap().into_os_string();
    let words = ["--ignored", "--exact", "--nocapture", "child::child"].map(Into::into);
    run(options, &[&[this], &words[..]].concat()).env("ROLE", role)
}

#[test]
#[ignore = "it is the child of other tests"]
fn child() {
    match variable("ROLE").as_str() {
        "http" => serve(&[200]),
        "http-late" => serve(&[503, 404, 302]),
        "silent" => park(),
        "notify" => notify(),
        role => panic!("unknown role {role}"),
    }
}

/// Answers one request with each status, and all further ones with the last.
fn serve(statuses: &[u16]) {
    let port: u16 = variable("PORT").parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let last = statuses.last().unwrap();
    let statuses = statuses.iter().chain(std::iter::repeat(last));
    for (connection, status) in listener.incoming().zip(statuses) {
        answer(connection.unwrap(), *status);
    }
}

fn answer(mut connection: TcpStream, status: u16) {
    let mut request = [0; 1024];
    let length = connection.read(&mut request).unwrap();
    let request = String::from_utf8_lossy(&request[..length]);
    println!("{status} for {}", request.lines().next().unwrap_or_default());
    write!(connection, "HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n").unwrap();
}

fn notify() {
    let name = variable("NOTIFY_SOCKET");
    let address = SocketAddr::from_abstract_name(name.strip_prefix('@').unwrap()).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(b"STATUS=up\nREADY=1", &address).unwrap();
    park();
}

fn park() {
    loop {
        std::thread::park();
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
