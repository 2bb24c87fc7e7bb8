//! What changes when a configuration takes the place of another one.

use std::collections::BTreeMap;

use super::name::Name;
use super::slot::{Config, Slot};

/// What becomes of slots and templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The slots.
    pub slots: Changes,
    /// The templates; what becomes of one becomes of all its instances.
    pub templates: Changes,
}

/// Names by what becomes of them, each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// There now, and not before.
    pub new: Vec<Name>,
    /// There before, and not now.
    pub removed: Vec<Name>,
    /// There still, and something is different.
    pub changed: Vec<Name>,
    /// There still, and everything is as it was.
    pub unchanged: Vec<Name>,
}

/// Compares two configurations of one project. Of two projects, nothing is the same: all slots of
/// the one are removed, and all of the other are new.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Diff {
    let nothing = BTreeMap::new();
    let is_same = old.project == new.project;
    let before = |slots| if is_same { slots } else { &nothing };
    let mut diff = Diff {
        slots: changes(before(&old.slots), &new.slots),
        templates: changes(before(&old.templates), &new.templates),
    };
    if !is_same {
        diff.slots.removed = old.slots.keys().cloned().collect();
        diff.templates.removed = old.templates.keys().cloned().collect();
    }
    diff
}

fn changes(old: &BTreeMap<Name, Slot>, new: &BTreeMap<Name, Slot>) -> Changes {
    let mut changes = Changes::default();
    for (name, slot) in new {
        let list = match old.get(name) {
            None => &mut changes.new,
            Some(before) if before == slot => &mut changes.unchanged,
            Some(_) => &mut changes.changed,
        };
        list.push(name.clone());
    }
    let gone = old.keys().filter(|name| !new.contains_key(name));
    changes.removed = gone.cloned().collect();
    changes
}
