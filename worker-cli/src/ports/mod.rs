//! Ports that belong to one run at a time, on the whole machine.

mod bind;
mod claim;
mod holder;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use worker_core::Block;

use self::bind::Reuse;
use self::claim::Claim;

pub(crate) use self::holder::{describe as holder, listener};

/// Whether no process holds the port on any local address.
pub(crate) fn is_free(port: u16) -> bool {
    bind::is_free(port, Reuse::OfThePast)
}

/// So many holders are named when there are no ports left.
const NAMED: usize = 3;

/// The ports that we have claimed, and those that somebody else has.
#[derive(Debug, Default)]
pub struct Ports {
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    claimed: BTreeMap<u16, Claim>,
    busy: BTreeSet<u16>,
}

impl Ports {
    /// Claims the block if nobody else has claimed or bound a port of it.
    ///
    /// A block that is claimed already stays with its slot over a restart: then only a process
    /// that holds a port counts, and not what the network still remembers of the last run.
    pub fn reserve(&self, block: Block) -> bool {
        let is_ours = block.ports().all(|port| self.ledger().claimed.contains_key(&port));
        self.claim(block, if is_ours { Reuse::OfThePast } else { Reuse::Never })
    }

    /// The same for a block that no other can stand in for: only a process that holds a port counts,
    /// whoever had it before. A server sets SO_REUSEADDR for the same reason.
    pub fn reserve_fixed(&self, block: Block) -> bool {
        self.claim(block, Reuse::OfThePast)
    }

    fn claim(&self, block: Block, reuse: Reuse) -> bool {
        let mut ledger = self.ledger();
        for port in block.ports() {
            if !ledger.claim(port) || !bind::is_free(port, reuse) {
                ledger.give_up(block, port);
                return false;
            }
        }
        ledger.busy.clear();
        true
    }

    /// Gives the block up.
    pub fn unreserve(&self, block: Block) {
        self.ledger().claimed.retain(|port, _| !block.ports().contains(port));
    }

    /// Who holds the ports that were busy since the last success, in words: the first few by name.
    #[must_use]
    pub fn holders(&self) -> String {
        let busy: Vec<u16> = self.ledger().busy.iter().copied().collect();
        let mut named: Vec<String> =
            busy.iter().take(NAMED).map(|port| holder::describe(*port)).collect();
        match busy.len().saturating_sub(NAMED) {
            0 => {}
            1 => named.push("and one more".to_owned()),
            more => named.push(format!("and {more} more")),
        }
        named.join(", ")
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn claim(&mut self, port: u16) -> bool {
        if self.claimed.contains_key(&port) {
            return true;
        }
        let claim = Claim::take(port);
        claim.map(|claim| self.claimed.insert(port, claim)).is_some()
    }

    fn give_up(&mut self, block: Block, busy: u16) {
        self.claimed.retain(|port, _| !block.ports().contains(port));
        self.busy.insert(busy);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A port that is free now: the kernel chose it, and we closed it.
    fn free_port() -> u16 {
        TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
    }

    fn block(port: u16) -> Block {
        Block::new(port, 1).unwrap()
    }

    #[test]
    fn a_block_is_claimed_by_one_supervisor_at_a_time() {
        let (one, other, block) = (Ports::default(), Ports::default(), block(free_port()));
        assert!(one.reserve(block));
        assert!(one.reserve(block), "it stays with its slot");
        assert!(!other.reserve(block));
        one.unreserve(block);
        assert!(other.reserve(block));
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_busy_and_its_holder_named() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ports = Ports::default();
        assert!(!ports.reserve(block(port)));
        let holders = ports.holders();
        assert!(holders.contains(&port.to_string()), "{holders}");
        #[cfg(target_os = "linux")]
        assert!(holders.contains(&format!("pid {}", std::process::id())), "{holders}");
        drop(listener);
        assert!(ports.reserve(block(port)));
        assert_eq!(ports.holders(), "");
    }

    #[test]
    fn a_listener_on_any_local_address_makes_a_port_busy() {
        for address in ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"] {
            let Ok(listener) = TcpListener::bind((address, 0)) else { continue };
            let port = listener.local_addr().unwrap().port();
            assert!(!Ports::default().reserve(block(port)), "{address}");
        }
    }

    #[test]
    fn what_the_network_remembers_of_the_last_run_does_not_cost_the_block() {
        let (ports, block) = (Ports::default(), block(free_port()));
        assert!(ports.reserve(block));
        let listener = TcpListener::bind(("127.0.0.1", block.first())).unwrap();
        let client = std::net::TcpStream::connect(("127.0.0.1", block.first())).unwrap();
        // The server closes first, so that its side is the one that waits.
        drop(listener.accept().unwrap());
        drop(client);
        drop(listener);
        assert!(!bind::is_free(block.first(), bind::Reuse::Never), "the test shows nothing");
        assert!(ports.reserve(block));
        ports.unreserve(block);
        assert!(!ports.reserve(block), "another one will do as well");
        assert!(ports.reserve_fixed(block), "no other one will do");
    }

    #[test]
    fn only_a_few_holders_are_named() {
        let ports = Ports::default();
        ports.ledger().busy.extend(1..=9);
        assert!(ports.holders().ends_with(", and 6 more"), "{}", ports.holders());
    }
}
