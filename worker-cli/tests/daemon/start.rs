//! A daemon that starts itself.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use tokio::task::JoinSet;
use worker_cli::api::StopRequest;
use worker_cli::client::block_on;
use worker_cli::error::{Code, Failure};

use crate::common::{Scene, eventually, finish, script, send_signal};

#[test]
fn a_daemon_starts_when_it_is_first_needed_and_outlives_who_needed_it() {
    let scene = Scene::new();
    let slots = block_on(scene.client().slots(None)).unwrap();
    assert_eq!((slots.v, slots.slots), (1, Vec::new()));
    let pid = scene.pid();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let guardian: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // Its parent is the guardian, which leads the session.
    assert_eq!(guardian[1], guardian[3]);
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
    block_on(scene.client().health()).unwrap();
    assert_eq!(scene.pid(), pid, "it is used again");
    let log = scene.state_dir().join("daemon.log");
    eventually("the daemon to say where it listens", || {
        fs::read_to_string(&log).is_ok_and(|log| log.contains(" worker: listening at "))
    });
    let out = fs::read_link(format!("/proc/{pid}/fd/1")).unwrap();
    assert_eq!(out, scene.state_dir().join("daemon.log"));
}

#[test]
fn what_was_ignored_where_a_daemon_started_itself_is_not_in_its_slots() {
    let scene = Scene::new();
    let toml = "project = \"shop\"\n[slots.api]\ncommand = [\"sleep\", \"1000\"]\nstop = { signal = \"SIGINT\" }\n";
    fs::write(scene.scratch().join("worker.toml"), toml).unwrap();
    // As under nohup, or in the background of a script.
    let worker = scene.worker(&["start", "api"]);
    let mut script = Command::new("sh");
    script.args(["-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh"]).arg(worker.get_program());
    script.args(worker.get_args()).current_dir(scene.scratch());
    let variables = worker.get_envs().filter_map(|(name, value)| Some((name, value?)));
    script.envs(variables).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = finish(script);
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    let pid = block_on(scene.client().slot("shop/api")).unwrap().pid.unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    let (hup, int, quit) = (1 << 0, 1 << 1, 1 << 2);
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & (hup | int | quit), 0, "{ignored}");
    block_on(scene.client().stop("shop/api", StopRequest::default())).unwrap();
    let events = scene.get("/v1/events?follow=false&slot=shop/api").body;
    assert!(events.contains(r#""signal":"SIGINT""#), "{events}");
}

#[test]
fn who_does_not_want_to_start_one_is_told_that_none_runs() {
    let scene = Scene::new();
    let client = scene.client().without_start();
    let failure = block_on(client.slots(None)).unwrap_err();
    assert_eq!((failure.code, failure.code.exit_code()), (Code::NoDaemon, 6));
    assert_eq!(block_on(scene.client().shutdown()).unwrap_err().code, Code::NoDaemon);
    assert!(!scene.state_dir().exists(), "nothing was touched");
}

#[test]
fn many_who_need_one_at_once_get_the_same() {
    let scene = Scene::new();
    let clients: Vec<_> = (0..8).map(|_| scene.client()).collect();
    let threads = clients.into_iter().map(|client| {
        std::thread::spawn(move || block_on(client.health()).map(|health| health.pid))
    });
    let threads: Vec<_> = threads.collect();
    let pids: Vec<u32> = threads.into_iter().map(|it| it.join().unwrap().unwrap()).collect();
    assert!(pids.iter().all(|pid| i64::from(*pid) == scene.pid()), "{pids:?}");
}

#[test]
fn one_that_was_just_ended_is_followed_by_the_next() {
    let scene = Scene::new();
    let client = scene.client();
    let outcome: Result<Vec<u32>, Failure> = block_on(async {
        let mut pids = Vec::new();
        for _ in 0..3 {
            pids.push(client.health().await?.pid);
            client.shutdown().await?;
        }
        Ok(pids)
    });
    let mut pids = outcome.unwrap();
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[test]
fn a_daemon_is_found_where_it_was_started_with_another_runtime_folder() {
    let scene = Scene::new();
    let holder = scene.scratch().join("elsewhere");
    let daemon = scene.daemon();
    // As if that one had been started with `elsewhere` for its runtime folder.
    fs::rename(scene.run_dir(), &holder).unwrap();
    let lock = scene.state_dir().join("daemon.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let text = text.replace(scene.run_dir().to_str().unwrap(), holder.to_str().unwrap());
    fs::write(&lock, text).unwrap();
    let health = block_on(scene.client().without_start().health()).unwrap();
    assert_eq!(i32::try_from(health.pid), Ok(daemon.supervisor()));
}

#[test]
fn what_a_daemon_says_that_cannot_start_is_passed_on() {
    let scene = Scene::new();
    let lock = scene.state_dir().join("daemon.lock");
    fs::create_dir_all(&lock).unwrap();
    let failure = block_on(scene.client().slots(None)).unwrap_err();
    assert_eq!(failure.code, Code::NoDaemon);
    assert!(failure.message.contains("the daemon cannot be started: "), "{failure}");
    assert!(failure.message.contains("Is a directory"), "{failure}");
}

#[test]
fn what_a_program_says_that_is_no_daemon_is_passed_on() {
    let scene = Scene::new();
    let program = script(scene.scratch(), "other", "echo 'no such luck' >&2; exit 3");
    let failure = block_on(scene.client().starting(program).slots(None)).unwrap_err();
    assert_eq!(failure.code, Code::NoDaemon);
    assert!(failure.message.contains("it ended; its log is "), "{failure}");
    assert!(failure.message.ends_with(":\nno such luck"), "{failure}");
    let missing = scene.scratch().join("missing");
    let failure = block_on(scene.client().starting(missing).slots(None)).unwrap_err();
    assert!(failure.message.contains("No such file"), "{failure}");
}

#[test]
fn a_daemon_of_another_version_is_told_of_and_can_be_ended() {
    let scene = Scene::new();
    block_on(scene.client().health()).unwrap(); // Makes the folders.
    block_on(scene.client().shutdown()).unwrap();
    eventually("its end", || !scene.socket().exists());
    let listener = UnixListener::bind(scene.socket()).unwrap();
    let old = std::thread::spawn(move || {
        for body in [r#"{"v":1,"slots":[]}"#, r#"{"v":1,"stopped":["shop/api"]}"#] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nworker-version: 0.0.1\r\nContent-Length: {length}\r\n");
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        }
    });
    let client = scene.client().without_start();
    let failure = block_on(client.slots(None)).unwrap_err();
    assert_eq!((failure.code, failure.code.exit_code()), (Code::OtherVersion, 6));
    assert!(failure.to_string().contains("the daemon is version 0.0.1"), "{failure}");
    assert!(failure.to_string().contains("worker down --all"), "{failure}");
    assert_eq!(block_on(client.shutdown()).unwrap().stopped, ["shop/api"]);
    old.join().unwrap();
}

#[test]
fn a_daemon_that_dies_before_it_answers_is_said_to_be_gone() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let client = scene.client().without_start();
    let failure = block_on(async {
        let mut events = client.events(&Default::default(), None).await?;
        send_signal(daemon.supervisor(), "KILL");
        events.next().await
    });
    assert_eq!(failure.unwrap_err().code, Code::NoDaemon);
}

#[test]
fn a_stream_of_events_ends_with_the_daemon() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let client = scene.client().without_start();
    let last = block_on(async {
        let mut streams = JoinSet::new();
        for _ in 0..4 {
            let mut events = client.events(&Default::default(), None).await?;
            streams.spawn(async move { events.next().await });
        }
        client.shutdown().await?;
        Ok(streams.join_all().await)
    });
    assert_eq!(last.unwrap(), vec![Ok(None); 4]);
    assert_eq!(daemon.finish().0, Some(0));
}
