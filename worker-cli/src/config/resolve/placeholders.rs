//! Placeholders that have no value where they stand.

use super::spec::some;
use super::{Checks, Draft, Kind};
use crate::config::problem::Problem;
use crate::config::setting::At;
use crate::config::source::Place;
use crate::config::tables::SlotTable;
use crate::config::text::{Placeholder, Text};

/// What is known when a text is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Everything.
    All,
    /// The ports are not chosen yet.
    NoPorts,
    /// Nor is the folder.
    Names,
    /// Names of slots may hold ids and nothing else.
    Id,
}

impl Checks<'_> {
    pub(super) fn check_placeholders(&mut self, draft: &Draft<'_>) {
        let own: Vec<&Place> = texts(draft.own).map(|(place, ..)| place).collect();
        for (place, text, known) in texts(&draft.table) {
            for placeholder in text.placeholders() {
                if let Some(why) = no_value(placeholder, known, draft) {
                    let narrow = self.place_of(&placeholder.to_string(), place);
                    self.add(draft.problem(Problem::new(&narrow, why), own.contains(&place)));
                }
            }
        }
    }
}

fn no_value(placeholder: Placeholder, known: Known, draft: &Draft<'_>) -> Option<String> {
    match (placeholder, known) {
        (Placeholder::Id, _) if draft.kind == Kind::Slot => {
            Some("only an instance of a template has an {id}".to_owned())
        }
        (Placeholder::Id, _) => None,
        (_, Known::Id) => Some("the name of a slot can have no placeholder but {id}".to_owned()),
        (Placeholder::Port(_), Known::NoPorts | Known::Names) => {
            Some("ports are chosen later than this is needed".to_owned())
        }
        (Placeholder::Port(index), Known::All) => beyond(index, draft.port_count()),
        (Placeholder::Dir, Known::Names) => {
            Some("{dir} is what this very text says, so it cannot stand in it".to_owned())
        }
        (Placeholder::Dir | Placeholder::Slot | Placeholder::Project, _) => None,
    }
}

fn beyond(index: u16, count: u16) -> Option<String> {
    match count {
        0 => Some("the slot has no ports: add ports = 1".to_owned()),
        1 if index >= 1 => Some("the slot has one port, which is {port}".to_owned()),
        _ if index >= count => {
            Some(format!("the slot has {count} ports, and the last is {{port+{}}}", count - 1))
        }
        _ => None,
    }
}

/// All texts of a slot.
fn texts(table: &SlotTable) -> impl Iterator<Item = (&Place, &Text, Known)> {
    let command = table.command.iter().flat_map(|it| &it.value.0).map(with(Known::All));
    let env = table.env.iter().flat_map(|it| it.value.0.values()).map(with(Known::All));
    let prepare = table.prepare.iter().flat_map(|it| &it.value.0).map(with(Known::NoPorts));
    let files = table.env_file.iter().flat_map(|it| &it.value.0);
    let files = files.map(|it| (&it.place, &it.value.0, Known::NoPorts));
    let dir = table.dir.iter().map(|it| (&it.place, &it.value.0, Known::Names));
    let names = table.depends_on.iter().flat_map(|it| &it.value.0).map(with(Known::Id));
    command.chain(env).chain(prepare).chain(files).chain(dir).chain(names).chain(probes(table))
}

fn probes(table: &SlotTable) -> impl Iterator<Item = (&Place, &Text, Known)> {
    let ready = some(table.ready.as_deref());
    let alive = some(table.alive.as_deref());
    let http = ready.and_then(|it| it.http.as_ref()).into_iter();
    let http = http.chain(alive.and_then(|it| it.http.as_ref()));
    let http = http.map(|it| (&it.place, &it.value.0, Known::All));
    let tcp = ready.and_then(|it| it.tcp.as_ref()).into_iter();
    let tcp = tcp.chain(alive.and_then(|it| it.tcp.as_ref()));
    let tcp = tcp.filter_map(|it| Some((&it.place, it.value.0.as_ref()?, Known::All)));
    let exec = ready.and_then(|it| it.exec.as_ref()).into_iter();
    let exec = exec.chain(alive.and_then(|it| it.exec.as_ref()));
    http.chain(tcp).chain(exec.flat_map(|it| &it.value.0).map(with(Known::All)))
}

fn with(known: Known) -> impl Fn(&At<Text>) -> (&Place, &Text, Known) {
    move |text| (&text.place, &text.value, known)
}
