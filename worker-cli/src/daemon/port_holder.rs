//! Who holds a fixed port that a slot wants, and what to do about it.

use worker_core::{Block, SlotId};

use super::registry::Registry;
use crate::duration::human;
use crate::ports;
use crate::processes;

/// What an error of ports ends with.
const OTHERWISE: &str = "or set `ports = \"auto\"`";

/// ``port 3000 is held by pid 812 `node vite` (slot web of shop, since 3 h): `worker stop shop/web`,
/// or set `ports = "auto"` ``. Reads the whole process table.
pub(super) fn in_words(registry: &Registry, wanting: SlotId, block: Block) -> String {
    let listened = block.ports().find_map(|port| Some((port, ports::listener(port)?)));
    let kept = || block.ports().find_map(|port| Some((port, keeper(registry, wanting, port)?)));
    if let Some((port, pid)) = listened {
        return held(registry, port, pid);
    }
    if let Some((port, slot)) = kept() {
        let (of, mend) = (of_project(&slot), mend(registry, Some(&slot)));
        return format!("port {port} is kept for {of}: {mend}, {OTHERWISE}");
    }
    let busy = block.ports().find(|port| !ports::is_free(*port)).unwrap_or(block.first());
    format!("port {}: end it, {OTHERWISE}", ports::holder(busy))
}

fn held(registry: &Registry, port: u16, pid: i32) -> String {
    let slot = processes::variable(pid, "WORKER_SLOT").filter(|slot| slot.contains('/'));
    let since = processes::age(pid).map(|age| format!("since {}", human(age)));
    let known: Vec<String> = slot.as_deref().map(of_project).into_iter().chain(since).collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let (holder, mend) = (processes::describe(pid), mend(registry, slot.as_deref()));
    format!("port {port} is held by {holder}{known}: {mend}, {OTHERWISE}")
}

/// The slot that has the port, even if nobody listens on it yet.
fn keeper(registry: &Registry, wanting: SlotId, port: u16) -> Option<String> {
    let mut others = registry.entries().filter(|entry| entry.id != wanting);
    let has = |block: Option<Block>| block.is_some_and(|block| block.ports().contains(&port));
    others.find(|entry| has(entry.block)).map(|entry| entry.name.clone())
}

fn of_project(slot: &str) -> String {
    let (project, name) = slot.split_once('/').unwrap_or(("", slot));
    format!("slot {name} of {project}")
}

/// Only a slot of this daemon can be stopped by it.
fn mend(registry: &Registry, slot: Option<&str>) -> String {
    match slot.filter(|slot| registry.find(slot).is_ok()) {
        Some(slot) => format!("`worker stop {slot}`"),
        None => "end it".to_owned(),
    }
}
