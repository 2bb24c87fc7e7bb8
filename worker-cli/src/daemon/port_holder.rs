//! Who holds a fixed port that a slot wants, and what to do about it.

use worker_core::{Block, SlotId};

use super::registry::Registry;
use crate::duration::human;
use crate::ports;
use crate::processes;
use crate::slot_name::{project_of, short};

/// What an error of ports ends with.
const OTHERWISE: &str = "or set `ports = \"auto\"`";

/// ``port 3000 is held by pid 812 `node vite` (slot web of shop, since 3 h): `worker stop shop/web`,
/// or set `ports = "auto"` ``. Reads the whole process table.
pub(super) fn in_words(registry: &Registry, wanting: SlotId, block: Block) -> String {
    let listened = block.ports().find_map(|port| Some((port, ports::listener(port)?)));
    let kept = || block.ports().find_map(|port| Some((port, keeper(registry, wanting, port)?)));
    if let Some((port, pid)) = listened {
        return held(registry, wanting, port, pid);
    }
    if let Some((port, slot)) = kept() {
        let of = of_project(&slot);
        return format!("port {port} is kept for {of}: {}, {OTHERWISE}", stop(&slot));
    }
    let busy = block.ports().find(|port| !ports::is_free(*port)).unwrap_or(block.first());
    format!("port {}: end what has it, {OTHERWISE}", ports::holder(busy))
}

fn held(registry: &Registry, wanting: SlotId, port: u16, pid: i32) -> String {
    let slot = processes::variable(pid, "WORKER_SLOT").filter(|slot| slot.contains('/'));
    let since = processes::age(pid).map(|age| format!("since {}", human(age)));
    let known: Vec<String> = slot.as_deref().map(of_project).into_iter().chain(since).collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let mend = match slot.as_deref().map(|slot| (slot, registry.find(slot))) {
        // Somebody else takes care of it.
        Some((_, Err(_))) => "stop it where it was started".to_owned(),
        Some((slot, Ok(id))) if id != wanting && has(registry, id, port) => stop(slot),
        // It has no slot, or was left behind by one on purpose.
        Some(_) | None => format!("`kill {pid}`"),
    };
    let holder = processes::describe(pid);
    format!("port {port} is held by {holder}{known}: {mend}, {OTHERWISE}")
}

/// The slot that has the port, even if nobody listens on it yet.
fn keeper(registry: &Registry, wanting: SlotId, port: u16) -> Option<String> {
    let mut others = registry.entries().filter(|entry| entry.id != wanting);
    others.find(|entry| has(registry, entry.id, port)).map(|entry| entry.name.to_string())
}

fn has(registry: &Registry, id: SlotId, port: u16) -> bool {
    registry.entry(id).block.is_some_and(|block| block.ports().contains(&port))
}

fn of_project(slot: &str) -> String {
    format!("slot {} of {}", short(slot), project_of(slot))
}

fn stop(slot: &str) -> String {
    format!("`worker stop {slot}`")
}
