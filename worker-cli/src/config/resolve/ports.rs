//! Ports that two slots would want, and variables that stand for ports.

use worker_core::{Block, PortRequest};

use super::{Checks, Draft, Kind};
use crate::config::problem::Problem;
use crate::config::source::Place;

impl Draft<'_> {
    pub(super) fn port_count(&self) -> u16 {
        match self.table.ports.as_ref().map(|ports| ports.value.0) {
            Some(PortRequest::Auto(count)) => count,
            Some(PortRequest::Fixed(block)) => block.count(),
            Some(PortRequest::None) | None => 0,
        }
    }

    fn fixed(&self) -> Option<(Block, &Place)> {
        let ports = self.table.ports.as_ref()?;
        match ports.value.0 {
            PortRequest::Fixed(block) => Some((block, &ports.place)),
            PortRequest::Auto(_) | PortRequest::None => None,
        }
    }
}

impl Checks<'_> {
    pub(super) fn check_ports(&mut self, draft: &Draft<'_>) {
        if let Some((_, place)) = draft.fixed().filter(|_| draft.kind == Kind::Template) {
            self.add(
                Problem::new(place, "the instances of a template cannot all have the same port")
                    .hint("say how many ports each one gets, such as ports = 1"),
            );
        }
        for (name, text) in draft.table.env.iter().flat_map(|env| &env.value.0) {
            if is_port_variable(&name.0, draft.port_count()) {
                self.add(
                    Problem::new(
                        &text.place,
                        format!("worker itself sets {}, since the slot has ports", name.0),
                    )
                    .hint("leave it out, or choose another name: NAME = \"{port}\""),
                );
            }
        }
    }
}

fn is_port_variable(name: &str, count: u16) -> bool {
    let index = match name.strip_prefix("PORT") {
        Some("") => Some(0),
        Some(rest) => rest.strip_prefix('_').and_then(|index| index.parse::<u16>().ok()),
        None => None,
    };
    index.is_some_and(|index| index < count)
}

/// No two slots can have the same fixed port.
pub(super) fn check_fixed(slots: &[Draft<'_>], checks: &mut Checks<'_>) {
    for (index, slot) in slots.iter().enumerate() {
        for other in &slots[..index] {
            if let (Some(one), Some(two)) = (other.fixed(), slot.fixed())
                && one.0.overlaps(two.0)
            {
                checks.add(conflict((other, one), (slot, two)));
            }
        }
    }
}

type Fixed<'a> = (&'a Draft<'a>, (Block, &'a Place));

fn conflict(one: Fixed<'_>, other: Fixed<'_>) -> Problem {
    let order = |(_, (_, place)): &Fixed<'_>| (place.file, place.span.start);
    let (first, second) = if order(&one) <= order(&other) { (one, other) } else { (other, one) };
    let ((first, (block, first_place)), (second, (other_block, second_place))) = (first, second);
    let port = block.first().max(other_block.first());
    let message = format!("port {port} is that of two slots: {} and {}", first.name, second.name);
    let problem = Problem::new(second_place, message)
        .hint("give one of them another port, or let worker choose one by \"auto\"");
    if first_place == second_place {
        return problem;
    }
    problem.also(first_place, format!("{} has it here", first.name))
}
