//! Slots on demand that nobody uses.

use std::net::TcpStream;

use worker_cli::api::State;
use worker_cli::client::block_on;
use worker_cli::error::Code;

use crate::common::eventually;
use crate::ports::{LISTENER, has_python};
use crate::shop::{Shop, full};

#[test]
fn a_slot_that_nobody_uses_is_stopped_and_stays_so() {
    let mut shop = Shop::new(
        "[slots.api]\ncommand = [\"sleep\", \"1000\"]\nstart = \"on-demand\"\nidle = \"50ms\"\n",
    );
    shop.start("api").unwrap();
    let stopping = shop.await_event("api", "stopping");
    assert_eq!(stopping["reason"], "idle", "{stopping}");
    shop.await_state("api", State::Stopped);
    let death = &shop.why("api").deaths[0];
    assert_eq!((death.failure, death.cause.as_str()), (false, "stopped because it was idle"));
    let failure = block_on(shop.client.touch(&full("api"))).unwrap_err();
    assert_eq!(failure.code, Code::NotRunning);
    shop.again();
    assert_eq!(shop.state("api"), State::Stopped);
}

#[test]
fn a_touch_puts_off_the_stop() {
    let shop = Shop::new(
        "[templates.api]\ncommand = [\"sleep\", \"1000\"]\n[slots.eager]\ncommand = [\"sleep\", \"1000\"]\n",
    );
    let first = shop.start("api@one").unwrap();
    eventually("time to pass", || {
        let touched = block_on(shop.client.touch(&full("api@one"))).unwrap();
        let (before, after) = (first.next.clone().unwrap(), touched.next.unwrap());
        assert_eq!((before.what.as_str(), after.what.as_str()), ("idle stop", "idle stop"));
        after.at > before.at && touched.last_used > first.last_used
    });
    assert_eq!(shop.start("eager").unwrap().next.map(|next| next.what).as_deref(), None);
}

#[test]
fn an_open_connection_is_a_use() {
    if !has_python() {
        return;
    }
    let shop = Shop::new(&format!(
        "[slots.api]\ncommand = {LISTENER}\nports = 1\nready = {{ tcp = true, timeout = \"60s\" }}\n\
         start = \"on-demand\"\nidle = \"2s\"\n"
    ));
    let (first, connection) = loop {
        let api = shop.start("api").unwrap();
        // On a machine that has much to do it may have been idle for too long by now.
        if let Ok(connection) = TcpStream::connect(("127.0.0.1", api.ports[0])) {
            break (api, connection);
        }
    };
    eventually("the connection to count", || {
        let now = shop.slot("api");
        assert_eq!(now.state, State::Running);
        now.last_used > first.last_used
    });
    drop(connection);
    shop.await_state("api", State::Stopped);
}
