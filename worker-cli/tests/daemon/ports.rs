//! Ports that belong to one slot at a time.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

use worker_cli::api::State;
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::{Scene, eventually, send_signal};
use crate::shop::{Shop, full};

/// Listens on the port in its environment.
pub(crate) const LISTENER: &str = r#"["python3", "-c", "import os, socket, time; s = socket.create_server(('127.0.0.1', int(os.environ['PORT']))); time.sleep(1000)"]"#;

/// Whether there is the program that listens.
pub(crate) fn has_python() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("python3").exists());
    if !found {
        println!("skipped: there is no python3");
    }
    found
}

/// A port that neither the kernel gives to somebody else meanwhile, nor a daemon.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 2000).unwrap();
    let mut ports =
        std::iter::from_fn(|| Some(18_000 + own + NEXT.fetch_add(1, Ordering::Relaxed)));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

#[test]
fn a_fixed_port_that_a_stranger_holds_names_him() {
    let port = free_port();
    let holder = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let shop =
        Shop::new(&format!("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nports = [{port}]\n"));
    let failure = shop.start("api").unwrap_err();
    assert_eq!(failure.code, Code::SpawnFailed);
    let said = shop.slot("api").last_error.unwrap();
    assert!(failure.message.ends_with(&said), "{failure}");
    let held = format!("port {port} is held by pid {} `", std::process::id());
    assert!(said.starts_with(&held), "{said}");
    assert!(said.contains("` (since "), "{said}");
    let mend = format!(": `kill {}`, or set `ports = \"auto\"`", std::process::id());
    assert!(said.ends_with(&mend), "{said}");
    assert_eq!(failure.hint, None, "that is what to do, and neither log nor past knows more");
    assert_eq!(shop.why("api").deaths[0].cause, said);
    drop(holder);
    // A child that is just being spawned here may hold it for a moment.
    eventually("the port to be free", || shop.start("api").is_ok());
    assert_eq!(shop.slot("api").ports, [port]);
}

#[test]
fn a_fixed_port_that_another_slot_holds_names_the_slot_and_the_mend() {
    if !has_python() {
        return;
    }
    let port = free_port();
    let shop = Shop::new("");
    let other = shop.path("other");
    std::fs::create_dir(&other).unwrap();
    let config = other.join("worker.toml");
    let web = format!(
        "project = \"shelf\"\n[slots.web]\ncommand = {LISTENER}\nports = [{port}]\nready = {{ tcp = true }}\n"
    );
    std::fs::write(&config, web).unwrap();
    let mut request = shop.up_request();
    request.config = config;
    let up = block_on(shop.client.up("shelf", &request)).unwrap();
    assert_eq!(up.slots[0].error, None);
    shop.write(&format!("[slots.api]\ncommand = [\"sleep\", \"1000\"]\nports = [{port}]\n"));
    let failure = shop.start("api").unwrap_err();
    let pid = up.slots[0].status.as_ref().unwrap().pid.unwrap();
    let held = format!("shop/api could not be started: port {port} is held by pid {pid} `");
    assert!(failure.message.starts_with(&held), "{failure}");
    assert!(failure.message.contains("` (slot web of shelf, since "), "{failure}");
    let mend = ": `worker stop shelf/web`, or set `ports = \"auto\"`";
    assert!(failure.message.ends_with(mend), "{failure}");
}

#[test]
fn a_fixed_port_that_a_released_process_holds_is_not_to_be_had_by_stopping_its_slot() {
    if !has_python() {
        return;
    }
    let port = free_port();
    let leaves = r#"["sh", "-c", "python3 -c 'import os, socket, time; s = socket.create_server((\"127.0.0.1\", int(os.environ[\"PORT\"]))); open(\"pid\", \"w\").write(str(os.getpid())); time.sleep(1000)' & until test -s pid; do sleep 0.01; done"]"#;
    let shop = Shop::new(&format!("[slots.api]\ncommand = {leaves}\nports = [{port}]\n"));
    shop.start("api").unwrap();
    shop.await_state("api", State::Stopped);
    let pid = shop.read("pid");
    let failure = shop.start("api").unwrap_err();
    send_signal(pid.parse().unwrap(), "KILL");
    assert!(failure.message.contains("` (slot api of shop, since "), "{failure}");
    let mend = format!(": `kill {pid}`, or set `ports = \"auto\"`");
    assert!(failure.message.ends_with(&mend), "{failure}");
}

#[test]
fn a_fixed_port_that_another_daemon_has_is_left_to_that() {
    if !has_python() {
        return;
    }
    let port = free_port();
    let text =
        format!("[slots.api]\ncommand = {LISTENER}\nports = [{port}]\nready = {{ tcp = true }}\n");
    let (other, shop) = (Shop::new(&text), Shop::new(&text.replace("api", "web")));
    other.start("api").unwrap();
    let failure = shop.start("web").unwrap_err();
    let mend = "(slot api of shop, since ";
    assert!(failure.message.contains(mend), "{failure}");
    let mend = ": stop it where it was started, or set `ports = \"auto\"`";
    assert!(failure.message.ends_with(mend), "{failure}");
}

#[test]
fn a_fixed_port_that_is_kept_for_a_slot_names_it_though_nobody_listens() {
    let port = free_port();
    let slot =
        |name| format!("[slots.{name}]\ncommand = [\"sleep\", \"1000\"]\nports = [{port}]\n");
    // Two slots of one file cannot have the same port, so the first one has it no more.
    let shop = Shop::new(&slot("api"));
    shop.start("api").unwrap();
    shop.write(&slot("web"));
    let failure = shop.start("web").unwrap_err();
    let kept = format!("port {port} is kept for slot api of shop: `worker stop shop/api`, or set");
    assert!(failure.message.contains(&kept), "{failure}");
}

#[test]
fn a_port_is_handed_out_once_and_told() {
    let shop = Shop::new(
        "[defaults]\ncommand = [\"sleep\", \"1000\"]\nports = 2\n[slots.a]\n[slots.b]\n[slots.c]\n",
    );
    shop.up();
    let told = block_on(shop.client.ports()).unwrap().ports;
    let numbers: BTreeSet<u16> = told.iter().map(|port| port.port).collect();
    assert_eq!((told.len(), numbers.len()), (6, 6), "{told:?}");
    for name in ["a", "b", "c"] {
        let (slot, env) = (shop.slot(name), shop.env(name));
        assert_eq!(slot.ports[1], slot.ports[0] + 1);
        assert_eq!(env["PORT"], slot.ports[0].to_string());
        assert_eq!(env["PORT_1"], slot.ports[1].to_string());
        assert_eq!(slot.url, Some(format!("http://127.0.0.1:{}", slot.ports[0])));
        let of_slot = told.iter().filter(|port| port.slot == full(name));
        assert_eq!(of_slot.map(|port| port.port).collect::<Vec<_>>(), slot.ports);
    }
    shop.stop("a");
    assert_eq!(shop.slot("a").ports, [] as [u16; 0]);
    assert_eq!(block_on(shop.client.ports()).unwrap().ports.len(), 4);
}

/// Ends each connection at once, so that its port has a past.
const SERVER: &str = r#"["python3", "-c", """
import os, socket
server = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))
while True:
    server.accept()[0].close()
"""]"#;

fn be_served_at(port: u16) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_slot_that_is_restarted_keeps_its_port_also_one_that_was_just_served_at() {
    if !has_python() {
        return;
    }
    let text = |ports: &str| {
        format!("[slots.api]\ncommand = {SERVER}\nports = {ports}\nready = {{ tcp = true }}\n")
    };
    let shop = Shop::new("");
    for ports in ["\"auto\"".to_owned(), format!("[{}]", free_port())] {
        shop.write(&text(&ports));
        let first = shop.start("api").unwrap();
        be_served_at(first.ports[0]);
        let again = block_on(shop.client.restart(&full("api"), &shop.start_request())).unwrap();
        assert_eq!((again.run, again.ports), (first.run + 1, first.ports));
        shop.stop("api");
    }
}

#[test]
fn a_fixed_port_that_was_just_served_at_is_taken_again_also_by_the_next_daemon() {
    if !has_python() {
        return;
    }
    let port = free_port();
    let mut shop = Shop::new(&format!(
        "[slots.api]\ncommand = {SERVER}\nports = [{port}]\nready = {{ tcp = true }}\n"
    ));
    shop.start("api").unwrap();
    be_served_at(port);
    shop.stop("api");
    assert_eq!(shop.start("api").unwrap().ports, [port]);
    be_served_at(port);
    shop.stop("api");
    shop.again();
    assert_eq!(shop.start("api").unwrap().ports, [port]);
}

/// So many slots of each of two daemons.
const SLOTS: usize = 20;

fn two_daemons_at_once(rounds: usize) {
    let slots: String = (0..SLOTS)
        .map(|number| {
            format!("[slots.s{number}]\ncommand = {LISTENER}\nports = 1\nready = {{ tcp = true, timeout = \"120s\" }}\nrestart = {{ window = \"10m\" }}\n")
        })
        .collect();
    for round in 0..rounds {
        let shops = [Shop::new(&slots), Shop::at(Scene::new(), &slots)];
        let up = std::thread::scope(|scope| {
            let both = shops.each_ref().map(|shop| scope.spawn(|| shop.up()));
            both.map(|up| up.join().unwrap())
        });
        let slots: Vec<_> = up.iter().flat_map(|up| up.values()).collect();
        assert!(slots.iter().all(|slot| slot.error.is_none()), "round {round}: {slots:?}");
        let status = slots.iter().map(|slot| slot.status.as_ref().unwrap());
        let ports: Vec<(u16, i32)> = status
            .inspect(|slot| assert_eq!(slot.state, State::Running))
            .map(|slot| (slot.ports[0], slot.pid.unwrap()))
            .collect();
        let numbers: BTreeSet<u16> = ports.iter().map(|(port, _)| *port).collect();
        assert_eq!(numbers.len(), 2 * SLOTS, "round {round}: {ports:?}");
        let told = shops.iter().flat_map(|shop| block_on(shop.client.ports()).unwrap().ports);
        let listeners: BTreeSet<(u16, i32)> =
            told.map(|port| (port.port, port.pid.unwrap())).collect();
        assert_eq!(listeners, ports.into_iter().collect(), "round {round}");
    }
}

#[test]
fn two_daemons_that_start_at_once_hand_out_no_port_twice() {
    if has_python() {
        two_daemons_at_once(1);
    }
}

#[test]
#[ignore = "starts 800 interpreters: cargo test -p worker-cli --test daemon -- --ignored"]
fn two_daemons_that_start_at_once_twenty_times_hand_out_no_port_twice() {
    if has_python() {
        two_daemons_at_once(20);
    }
}
