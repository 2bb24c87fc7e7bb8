//! The ends of a slot's runs, as a person reads them.

use std::time::Duration;

use crate::api::{Death, State, Why};
use crate::duration::human;
use crate::verbs::screen::{
    Ink, Page, brief, clip, hanging, plain, plain_lines, safe_for_terminals, state_ink,
};

/// Of what stands below a title, with the name in front.
const INDENT: usize = 12;

/// What is in the answer, the newest death first, and no more than so many.
pub(super) fn render(why: &Why, most: usize, page: &Page) -> String {
    let mut blocks = vec![title(why, page)];
    blocks.extend(why.deaths.iter().take(most).map(|death| block(death, page)));
    if let Some(more) = why.deaths.len().checked_sub(most).filter(|more| *more > 0) {
        let all = why.deaths.len();
        let noun = if more == 1 { "death" } else { "deaths" };
        let hint = format!("{more} earlier {noun}: worker why -n {all} {}", why.slot.slot);
        blocks.push(page.paint.dim(&hint));
    }
    blocks.push(hanging("Next: ", "      ", &next(why, page), page.width));
    blocks.join("\n\n")
}

/// With the time of it as people read one.
fn next(why: &Why, page: &Page) -> String {
    let at = why.slot.next.as_ref().and_then(|next| next.at.as_deref());
    let words = match at {
        Some(at) if !at.is_empty() => why.next.replace(at, &page.clock.date(at)),
        Some(_) | None => why.next.clone(),
    };
    plain(&words)
}

/// `shop/api: failed for 3m, parked after 8 failures in a row`.
fn title(why: &Why, page: &Page) -> String {
    let slot = &why.slot;
    let state = page.paint.ink(state_ink(slot.state), slot.state.name());
    let since = brief(page.clock.since(&slot.since));
    let name = page.paint.bold(&plain(&slot.slot));
    let streak = match (slot.state, slot.streak) {
        (_, 0) => String::new(),
        (State::Failed, count) => format!(", parked after {count} failures in a row"),
        (_, count) => format!(", {count} of {} failures in a row", slot.max_failures),
    };
    let first = format!("{name}: {state} for {since}{streak}");
    let error =
        slot.last_error.iter().map(|error| hanging("  ", "  ", &plain_lines(error), page.width));
    let none = why.deaths.is_empty().then(|| "  No run of it has ended.".to_owned());
    [first].into_iter().chain(error).chain(none).collect::<Vec<_>>().join("\n")
}

fn block(death: &Death, page: &Page) -> String {
    let mut lines = vec![headline(death, page)];
    lines.push(row("cause", &cause(death), page));
    for (index, evidence) in death.evidence.iter().enumerate() {
        lines.push(row(if index == 0 { "evidence" } else { "" }, &plain_lines(evidence), page));
    }
    for (index, line) in death.output.iter().enumerate() {
        lines.push(output(if index == 0 { "output" } else { "" }, line, page));
    }
    lines.join("\n")
}

/// `Run 8 ended 3m ago, 2026-11-22 07:56:12, after 3.1 s`.
fn headline(death: &Death, page: &Page) -> String {
    let ago = brief(page.clock.since(&death.time));
    let lived = match death.uptime_ms {
        Some(millis) => format!(", after {}", human(Duration::from_millis(millis))),
        None if death.failure => ", before it was spawned".to_owned(),
        // Nobody saw it end.
        None => String::new(),
    };
    let run = page.paint.bold(&format!("Run {}", death.run));
    format!("{run} ended {ago} ago, {}{lived}", page.clock.date(&death.time))
}

fn cause(death: &Death) -> String {
    let cause = plain_lines(&death.cause);
    if death.failure { cause } else { format!("{cause} (not a failure)") }
}

fn row(name: &str, text: &str, page: &Page) -> String {
    let first = format!("  {name:<width$}", width = INDENT - 2);
    let row = hanging(&first, &" ".repeat(INDENT), text, page.width);
    match row.split_once(name).filter(|_| !name.is_empty()) {
        Some((before, after)) => format!("{before}{}{after}", page.paint.dim(name)),
        None => row,
    }
}

/// Output is shown as it is, but for what would leave its line.
fn output(name: &str, line: &str, page: &Page) -> String {
    let line = if page.paint.is_on() { safe_for_terminals(line) } else { plain(line) };
    let end = if line.contains('\x1b') { "\x1b[0m" } else { "" };
    let name = page.paint.dim(&format!("{name:<width$}", width = INDENT - 2));
    let bar = page.paint.ink(Ink::Dim, "|");
    let shown = clip(&line, page.width.saturating_sub(INDENT + 2));
    format!("  {name}{bar} {shown}{end}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::api::{Next, SlotStatus};
    use crate::verbs::sample::{death, running, slot};
    use crate::verbs::screen::width_of;

    fn why(slot: SlotStatus, deaths: Vec<Death>, next: &str) -> Why {
        Why { v: 1, slot, deaths, next: next.to_owned() }
    }

    fn parked() -> Why {
        let slot = SlotStatus {
            streak: 8,
            last_error: Some(
                "circuit breaker tripped: 8 consecutive non-clean exits within 300s (last: code=1 \
                 signal=-)"
                    .to_owned(),
            ),
            ..slot("shop/api", State::Failed)
        };
        let newest = Death {
            evidence: vec![
                "SIGKILL ended 2 processes that were left: pid 812 `node vite`, pid 813 `esbuild \
                 --service`"
                    .to_owned(),
                "the most memory it had was 1.9 GiB".to_owned(),
            ],
            output: vec![
                "\x1b[31mError\x1b[0m: listen EADDRINUSE: address already in use :::3000"
                    .to_owned(),
                format!("    at Server.setupListenHandle ({}net.js:1817:16)", "x".repeat(60)),
                String::new(),
            ],
            cause: "exit code 1 before it was ready".to_owned(),
            ..death(8)
        };
        let killed = Death {
            cause: "ended by SIGKILL: out of memory".to_owned(),
            time: "2026-11-22T07:08:00.000Z".to_owned(),
            ..death(7)
        };
        let unspawned = Death { uptime_ms: None, cause: "no such program".to_owned(), ..death(6) };
        let next = "nothing until it is re-armed: worker reset shop/api";
        why(slot, vec![newest, killed, unspawned, death(5)], next)
    }

    #[test]
    fn a_parked_slot() {
        let text = render(&parked(), 3, &Page::for_tests());
        assert!(text.lines().all(|line| width_of(line) <= 80), "{text}");
        assert_snapshot!(text);
    }

    #[test]
    fn a_slot_of_which_no_run_has_ended() {
        let text =
            render(&why(running("shop/api"), vec![], "idle stop in 12 min"), 3, &Page::for_tests());
        assert_snapshot!(text);
    }

    #[test]
    fn of_an_end_that_nobody_saw_it_is_not_said_when_the_run_was_spawned() {
        let unseen = Death { failure: false, uptime_ms: None, ..death(1) };
        let text = render(&why(running("a/b"), vec![unseen], "nothing"), 3, &Page::for_tests());
        assert!(text.contains("Run 1 ended") && !text.contains("spawned"), "{text}");
    }

    #[test]
    fn what_comes_next_has_its_time_as_all_others_have() {
        let at = "2026-11-22T07:25:00.123Z".to_owned();
        let next = Next { at: Some(at.clone()), what: "idle stop".to_owned() };
        let slot = SlotStatus { next: Some(next), ..running("shop/api") };
        let why = why(slot, vec![], &format!("idle stop at {at}"));
        let text = render(&why, 3, &Page::for_tests());
        assert!(text.ends_with("Next: idle stop at 2026-11-22 07:25:00"), "{text}");
    }

    #[test]
    fn a_clean_end_is_no_failure() {
        let clean = Death { failure: false, cause: "exit code 0".to_owned(), ..death(1) };
        let text = render(
            &why(slot("a/b", State::Stopped), vec![clean], "nothing"),
            3,
            &Page::for_tests(),
        );
        assert!(text.contains("cause     exit code 0 (not a failure)"), "{text}");
    }
}
