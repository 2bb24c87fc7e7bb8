//! Tables as people see them.

use insta::assert_snapshot;

use super::*;
use crate::verbs::sample::{running, slot};
use crate::verbs::screen::{Paint, width_of};

fn mixed() -> Vec<SlotStatus> {
    let next = |at: &str, what: &str| {
        Some(Next { at: Some(format!("2026-11-22T07:{at}.000Z")), what: what.to_owned() })
    };
    vec![
        SlotStatus { next: next("25:00", "idle stop"), ..running("shop/api") },
        SlotStatus {
            ports: vec![21_002],
            restarts: 3,
            streak: 3,
            next: next("10:04", "restart"),
            last_error: Some("exit code 1 before it was ready".to_owned()),
            ..slot("shop/web", State::Restarting)
        },
        SlotStatus {
            streak: 8,
            restarts: 7,
            last_error: Some(
                "circuit breaker tripped: 8 consecutive non-clean exits within 300s (last: code=- \
                 signal=SIGKILL); mend the cause, then `worker reset shop/agent@proj-42`"
                    .to_owned(),
            ),
            ..slot("shop/agent@proj-42", State::Failed)
        },
        SlotStatus {
            next: next("10:30", "ready timeout"),
            since: "2026-11-22T07:09:58.000Z".to_owned(),
            pid: Some(812),
            ..slot("blog/site", State::Starting)
        },
        SlotStatus {
            last_error: Some("no such program: \x1b[2J/bin/nope".to_owned()),
            ..slot("shop/db", State::Error)
        },
        slot("shop/cron", State::Stopped),
    ]
}

fn text(slots: &[SlotStatus], warnings: &[String], page: &Page) -> String {
    render(slots, warnings, page).join("\n")
}

#[test]
fn slots_of_all_kinds_fit_80_columns() {
    let lines =
        render(&mixed(), &["logs cannot be written: no space left".to_owned()], &Page::for_tests());
    assert!(lines.iter().all(|line| width_of(line) <= 80));
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn where_there_is_room_addresses_are_urls() {
    assert_snapshot!(text(&[running("shop/api")], &[], &Page::for_tests()));
}

#[test]
fn states_are_coloured() {
    let page = Page { paint: Paint::new(true), ..Page::for_tests() };
    assert_snapshot!(text(&[running("shop/api")], &[], &page).replace('\x1b', "^"));
}

#[test]
fn a_line_keeps_its_place_whatever_becomes_of_its_slot() {
    let names = |slots: &[SlotStatus]| -> Vec<String> {
        let lines = render(slots, &[], &Page::for_tests());
        let first = lines.iter().filter_map(|line| line.split(' ').next());
        first.filter(|word| word.contains('/')).map(str::to_owned).collect()
    };
    let mut slots = mixed();
    let before = names(&slots);
    slots.reverse();
    slots[0].state = State::Failed;
    assert_eq!(names(&slots), before);
}

#[test]
fn of_many_in_trouble_three_are_named() {
    let slots: Vec<_> = (0..5).map(|n| slot(&format!("shop/s{n}"), State::Failed)).collect();
    let lines = render(&slots, &[], &Page::for_tests());
    assert_eq!(
        lines.last().map(String::as_str),
        Some("5 slots: 5 failed (shop/s0, shop/s1, shop/s2 and 2 more)")
    );
}
