//! The environment of this process, as what is kept and sent as JSON.

use std::collections::BTreeMap;
use std::env;

use crate::guardian;

/// What JSON can hold of it, and the names of what it cannot: variables that are not UTF-8. Without
/// what is between a supervisor and its guardian.
pub(crate) fn of_this_process() -> (BTreeMap<String, String>, Vec<String>) {
    let (mut variables, mut left_out) = (BTreeMap::new(), Vec::new());
    for (name, value) in env::vars_os().filter(|(name, _)| name != guardian::VARIABLE) {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => drop(variables.insert(name, value)),
            (Ok(name), Err(_)) => left_out.push(name),
            (Err(name), _) => left_out.push(name.to_string_lossy().into_owned()),
        }
    }
    (variables, left_out)
}
