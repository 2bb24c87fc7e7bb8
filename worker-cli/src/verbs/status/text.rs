//! Slots as a table.

use crate::api::{Next, SlotStatus, State};
use crate::verbs::screen::{
    Cell, Page, brief, hanging, plain, plain_lines, state_ink, table, width_of,
};

const TITLES: [&str; 6] = ["SLOT", "STATE", "FOR", "PID", "ADDRESS", "RESTARTS"];

/// Of what stands below a slot.
const INDENT: &str = "    ";

/// The table and what it comes to; no line is longer than the page is wide, unless a name is.
pub(super) fn render(slots: &[SlotStatus], warnings: &[String], page: &Page) -> Vec<String> {
    let mut sorted: Vec<&SlotStatus> = slots.iter().collect();
    sorted.sort_by_key(|slot| place(slot));
    let mut lines = rows(&sorted, page);
    if sorted.len() > 1 {
        lines.push(String::new());
        lines.push(hanging("", INDENT, &summary(&sorted), page.width));
    }
    lines.extend(
        warnings
            .iter()
            .map(|warning| hanging("warning: ", "         ", &plain(warning), page.width)),
    );
    lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned).collect()
}

/// By project, then by name: a line keeps its place whatever becomes of its slot.
fn place(slot: &SlotStatus) -> (&str, &str) {
    slot.slot.split_once('/').unwrap_or(("", &slot.slot))
}

fn rows(slots: &[&SlotStatus], page: &Page) -> Vec<String> {
    let full = laid_out(slots, page, |slot| slot.url.clone().or_else(|| ports(slot)));
    let fits = full.iter().all(|line| width_of(line) <= page.width);
    let lines = if fits { full } else { laid_out(slots, page, ports) };
    let mut lines = lines.into_iter();
    let titles = lines.next().into_iter();
    let told =
        lines.zip(slots).flat_map(|(line, slot)| std::iter::once(line).chain(detail(slot, page)));
    titles.chain(told).collect()
}

fn laid_out(
    slots: &[&SlotStatus],
    page: &Page,
    address: impl Fn(&SlotStatus) -> Option<String>,
) -> Vec<String> {
    let rows: Vec<_> = slots
        .iter()
        .map(|slot| {
            [
                Cell::plain(plain(&slot.slot)),
                Cell::new(state_ink(slot.state), slot.state.name()),
                Cell::plain(brief(page.clock.since(&slot.since))),
                Cell::or_dash(slot.pid),
                Cell::or_dash(address(slot)),
                Cell::plain(slot.restarts.to_string()),
            ]
        })
        .collect();
    table(TITLES, &rows, page.paint)
}

/// `:21000`, `:21000-21001`.
fn ports(slot: &SlotStatus) -> Option<String> {
    match slot.ports.as_slice() {
        [] => None,
        [port] => Some(format!(":{port}")),
        [first, .., last] => Some(format!(":{first}-{last}")),
    }
}

/// What went wrong, how often, and what happens next; nothing about a slot that is well.
fn detail(slot: &SlotStatus, page: &Page) -> Option<String> {
    let streak = (slot.streak > 0 && slot.state != State::Failed)
        .then(|| format!("{} of {} failures in a row", slot.streak, slot.max_failures));
    let next = slot.next.as_ref().filter(|_| slot.state != State::Running);
    let error = slot.last_error.as_deref().map(plain_lines);
    let parts = [error, streak, next.map(|next| self::next(next, page))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| hanging(INDENT, INDENT, &parts.join("; "), page.width))
}

/// `restart in 4s`.
pub(in crate::verbs) fn next(next: &Next, page: &Page) -> String {
    match &next.at {
        Some(at) => format!("{} in {}", plain(&next.what), brief(page.clock.until(at))),
        None => plain(&next.what),
    }
}

/// `5 slots: 3 running, 1 starting, 1 failed (shop/web)`: who is in trouble is named.
fn summary(slots: &[&SlotStatus]) -> String {
    let counts = State::ALL.iter().filter_map(|state| {
        let names: Vec<&str> =
            slots.iter().filter(|slot| slot.state == *state).map(|slot| &*slot.slot).collect();
        let is_trouble = matches!(state, State::Error | State::Failed);
        let named = if is_trouble { format!(" ({})", some(&names)) } else { String::new() };
        (!names.is_empty()).then(|| format!("{} {}{named}", names.len(), state.name()))
    });
    format!("{} slots: {}", slots.len(), counts.collect::<Vec<_>>().join(", "))
}

/// The first three names.
fn some(names: &[&str]) -> String {
    match names {
        [first, second, third, more @ ..] if !more.is_empty() => {
            format!("{first}, {second}, {third} and {} more", more.len())
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
