//! What `up` did, as a person reads it.

use crate::api::{Change, Up, UpSlot};
use crate::verbs::screen::{Cell, Ink, Page, plain, state_ink, table};

/// What was different, and what became of each slot.
pub(super) fn render(up: &Up, page: &Page) -> String {
    let rows: Vec<_> = up.slots.iter().map(row).collect();
    // What the columns are called goes without saying.
    let lines = table(["", "", "", "", ""], &rows, page.paint).split_off(1);
    let first = format!("{}: {}", page.paint.bold(&plain(&up.project)), summary(&up.slots));
    std::iter::once(first)
        .chain(lines.iter().map(|line| format!("  {line}")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `1 new, 2 unchanged`.
fn summary(slots: &[UpSlot]) -> String {
    let kinds = [Change::New, Change::Changed, Change::Removed, Change::Unchanged];
    let counts = kinds.iter().filter_map(|kind| {
        let count = slots.iter().filter(|slot| slot.change == *kind).count();
        (count > 0).then(|| format!("{count} {}", word(*kind)))
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() { "there are no slots in it".to_owned() } else { counts.join(", ") }
}

fn row(slot: &UpSlot) -> [Cell; 5] {
    let (ink, sign) = match slot.change {
        Change::New => (Ink::Green, "+"),
        Change::Changed => (Ink::Yellow, "~"),
        Change::Removed => (Ink::Red, "-"),
        Change::Unchanged => (Ink::Dim, "="),
    };
    let status = slot.status.as_ref();
    let state = status.map_or_else(
        || Cell::new(Ink::Dim, "-"),
        |status| Cell::new(state_ink(status.state), status.state.name()),
    );
    let address = status.and_then(|status| status.url.clone()).unwrap_or_default();
    [
        Cell::new(ink, sign),
        Cell::plain(plain(&slot.slot)),
        Cell::new(ink, word(slot.change)),
        state,
        Cell::plain(address),
    ]
}

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Removed => "removed",
        Change::Changed => "changed",
        Change::Unchanged => "unchanged",
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::api::{SlotStatus, State};
    use crate::verbs::sample::{running, slot};

    fn up(slots: Vec<UpSlot>) -> String {
        render(&Up { v: 1, project: "shop".to_owned(), slots }, &Page::for_tests())
    }

    fn one(change: Change, status: SlotStatus) -> UpSlot {
        let name = status.slot.clone();
        let status = Some(status).filter(|_| change != Change::Removed);
        UpSlot { slot: name, change, status, error: None }
    }

    #[test]
    fn the_difference_is_shown_slot_by_slot() {
        assert_snapshot!(up(vec![
            one(Change::New, running("shop/api")),
            one(Change::Unchanged, slot("shop/cron", State::Stopped)),
            one(Change::Removed, slot("shop/old", State::Stopped)),
            one(Change::Changed, slot("shop/web", State::Failed)),
        ]));
    }

    #[test]
    fn a_project_without_slots_says_so() {
        assert_eq!(up(vec![]), "shop: there are no slots in it");
    }
}
