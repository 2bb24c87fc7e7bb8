//! Many clients, and clients that hang.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use tokio::task::JoinSet;
use worker_cli::client::block_on;

use crate::common::Scene;

const MANY: usize = 1000;

/// What a process may have open to hold one end of so many connections. The daemon sees to itself.
fn let_us_open_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

fn memory_of(pid: i64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_thousand_requests_at_once_are_all_answered() {
    let_us_open_many();
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let client = scene.client().without_start();
    let answers = block_on(async {
        let mut asking = JoinSet::new();
        for _ in 0..MANY {
            let client = client.clone();
            asking.spawn(async move { client.slots(None).await });
        }
        Ok(asking.join_all().await)
    });
    let answers = answers.unwrap();
    assert_eq!(answers.len(), MANY);
    answers.into_iter().for_each(|answer| assert_eq!(answer.unwrap().v, 1));
}

#[test]
fn clients_that_hang_keep_nobody_from_being_served() {
    let_us_open_many();
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let pid = scene.pid();
    let before = memory_of(pid);
    let hang = |request: &str| {
        let mut stream = scene.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let requests = [
        "",
        "GET /v1/slots HTTP/1.1\r\nHost: w",
        "POST /v1/slots/a/start HTTP/1.1\r\nHost: w\r\nContent-Length: 1000000\r\n\r\n{",
        "GET /v1/events HTTP/1.1\r\nHost: w\r\n\r\n",
    ];
    let streams: Vec<UnixStream> = (0..MANY).map(|at| hang(requests[at % 4])).collect();
    // Those of the last kind are in: their first sign of life is there.
    for mut stream in streams.iter().skip(3).step_by(4) {
        stream.read_exact(&mut [0; 15]).unwrap();
    }
    assert_eq!(scene.get("/v1/slots").status, 200);
    let grown = memory_of(pid).saturating_sub(before);
    assert!(grown < 64 * MANY as u64, "{grown} kB for {MANY} clients");
    drop(streams);
    assert_eq!(scene.pid(), pid);
}
