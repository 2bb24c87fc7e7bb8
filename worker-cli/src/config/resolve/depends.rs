//! What slots wait for: it must be there, and nobody may wait for itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checks, Draft, Kind};
use crate::config::name::Name;
use crate::config::problem::Problem;
use crate::config::setting::{At, printable};
use crate::config::source::Place;
use crate::config::suggest::closest;
use crate::config::text::{Placeholder, Text, Values};

type Node<'a> = (Kind, &'a str);

/// Who waits for whom, and where that is written. Instances of a template are one node: whatever
/// their ids, a way back to the template goes on for ever.
pub(super) struct Graph<'a>(BTreeMap<Node<'a>, Vec<(Node<'a>, &'a Place)>>);

/// For a first look at an id that is not known yet.
const SAMPLE: Values<'static> = Values { project: "", slot: "", id: "id", dir: "", first_port: 0 };

impl<'a> Graph<'a> {
    /// Checks all dependencies.
    pub(super) fn check(
        slots: &'a [Draft<'a>],
        templates: &'a [Draft<'a>],
        checks: &mut Checks<'_>,
    ) {
        let drafts = || slots.iter().chain(templates);
        let nodes = drafts().map(|draft| ((draft.kind, draft.name.as_str()), Vec::new()));
        let mut graph = Self(nodes.collect());
        for draft in drafts() {
            let edges = graph.edges(draft, checks);
            graph.0.insert((draft.kind, draft.name.as_str()), edges);
        }
        for cycle in graph.cycles() {
            checks.add(cycle_problem(&cycle));
        }
    }

    fn edges(&self, draft: &'a Draft<'a>, checks: &mut Checks<'_>) -> Vec<(Node<'a>, &'a Place)> {
        let wanted = draft.table.depends_on.iter().flat_map(|names| &names.value.0);
        let wanted: Vec<&At<Text>> = wanted.collect();
        let mut edges = Vec::new();
        for (index, name) in wanted.iter().enumerate() {
            match self.find(&name.value) {
                Ok(node) => edges.push((node, &name.place)),
                // That is an error of its own.
                Err(_) if name.value.placeholders().any(|it| it != Placeholder::Id) => {}
                Err((message, hint)) => {
                    checks.add(Problem::new(&name.place, message).hint(hint));
                }
            }
            if let Some(first) = wanted[..index].iter().find(|other| other.value == name.value) {
                let message = format!("`{}` is named twice", name.value);
                checks.add(Problem::new(&name.place, message).also(&first.place, "here, too"));
            }
        }
        edges
    }

    fn find(&self, name: &Text) -> Result<Node<'a>, (String, String)> {
        let text = name.to_string();
        let (kind, slot) = match text.split_once('@') {
            Some((template, _)) => (Kind::Template, template),
            None => (Kind::Slot, text.as_str()),
        };
        let Some(node) = self.0.keys().find(|node| **node == (kind, slot)) else {
            return Err(self.unknown(kind, slot));
        };
        let id = name.expand(SAMPLE);
        match id.split_once('@').map(|(_, id)| Name::parse(id)) {
            Some(Err(why)) => Err((format!("bad id behind the @ of `{}`", printable(&text)), why)),
            Some(Ok(_)) | None => Ok(*node),
        }
    }

    fn unknown(&self, kind: Kind, slot: &str) -> (String, String) {
        let message = format!("there is no {} `{}`", kind.name(), printable(slot));
        let other = if kind == Kind::Slot { Kind::Template } else { Kind::Slot };
        if self.0.contains_key(&(other, slot)) {
            let hint = match other {
                Kind::Template => format!("it is a template: name an instance: \"{slot}@…\""),
                Kind::Slot => format!("it is a slot: write \"{slot}\""),
            };
            return (message, hint);
        }
        let known = || self.0.keys().filter(|node| node.0 == kind).map(|node| node.1);
        let hint = match closest(slot, known()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if slot.contains('/') => {
                "a slot can only wait for those of its own file".to_owned()
            }
            None => match known().collect::<Vec<_>>().as_slice() {
                [] => "there are none in this file".to_owned(),
                known => format!("these are known: {}", known.join(", ")),
            },
        };
        (message, hint)
    }

    /// The ways that lead back to where they began, each once.
    fn cycles(&self) -> Vec<Vec<(Node<'a>, &'a Place)>> {
        let mut search =
            Search { graph: self, done: BTreeSet::new(), path: Vec::new(), found: vec![] };
        self.0.keys().for_each(|node| search.visit(*node));
        search.found
    }
}

/// A depth-first search with a stack of its own: a long chain must not overflow ours.
struct Search<'g, 'a> {
    graph: &'g Graph<'a>,
    done: BTreeSet<Node<'a>>,
    /// The way from where the search began, each node with how many of its edges were gone along.
    path: Vec<(Node<'a>, usize)>,
    found: Vec<Vec<(Node<'a>, &'a Place)>>,
}

impl<'a> Search<'_, 'a> {
    fn visit(&mut self, from: Node<'a>) {
        if self.done.contains(&from) {
            return;
        }
        self.path.push((from, 0));
        while let Some((node, next)) = self.path.last_mut() {
            let edge = self.graph.0.get(node).and_then(|edges| edges.get(*next));
            *next += 1;
            match edge {
                Some((to, _)) => self.go(*to),
                None => {
                    self.done.insert(*node);
                    self.path.pop();
                }
            }
        }
    }

    fn go(&mut self, to: Node<'a>) {
        if let Some(start) = self.path.iter().position(|(node, _)| *node == to) {
            let edge = |(node, next): &(Node<'a>, usize)| self.graph.0[node][next - 1];
            self.found.push(self.path[start..].iter().map(edge).collect());
        } else if !self.done.contains(&to) {
            self.path.push((to, 0));
        }
    }
}

/// Each entry is whom somebody waits for, and where that is written; the last closes the circle.
fn cycle_problem(cycle: &[(Node<'_>, &Place)]) -> Problem {
    let names: Vec<&str> = cycle.iter().map(|((_, name), _)| *name).collect();
    let (last, first) = (cycle[cycle.len() - 1], cycle[0]);
    let problem = match names.as_slice() {
        [name] => Problem::new(last.1, format!("`{name}` waits for itself")),
        _ => {
            let way = names.join(" → ");
            let start = last.0.1;
            Problem::new(last.1, format!("none of these could ever start: {start} → {way}"))
                .also(first.1, format!("{start} waits for {}", first.0.1))
        }
    };
    problem.hint("remove one of these dependencies")
}
