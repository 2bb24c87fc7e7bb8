//! What ends for good where no daemon runs: what the last one left, and what the next one would start.

use std::io;

use worker_platform_unix::SupervisorId;

use super::disk::Disk;
use super::record::{Intent, Record};
use super::store::{self, Opened, Store};
use super::{Lock, Try};
use crate::error::{Code, Failure};
use crate::journal;
use crate::slot_name::project_of;
use crate::socket::Place;

/// Ends what killed supervisors left behind, and lets the slots of a project, or all, rest under the
/// next daemon. Answers what there is to say; none if a daemon runs, which has to be asked then.
///
/// # Errors
///
/// [`Failure`] if the state folder cannot be used, or if something cannot be ended.
pub(crate) async fn put_to_rest(
    place: &Place,
    project: Option<&str>,
) -> Result<Option<Vec<String>>, Failure> {
    if !place.state_dir().is_dir() {
        return Ok(Some(Vec::new()));
    }
    // No daemon starts as long as this is ours.
    let Try::Ours(_lock) = Lock::attempt(place.state_dir(), place.run_dir())? else {
        return Ok(None);
    };
    let boot = SupervisorId::of_this_process().boot;
    let disk = Disk::start().map_err(|error| unusable(place, &error))?;
    let opened = Store::open(place.state_dir(), &boot, disk.clone());
    let opened = opened.map_err(|error| unusable(place, &error))?;
    let Opened { mut store, mut slots, aside } = opened;
    let is_meant = |name: &str| project.is_none_or(|project| project_of(name) == project);
    slots.iter_mut().filter(|(name, _)| is_meant(name)).for_each(|(_, record)| lay_to_rest(record));
    for (name, record) in slots.iter().filter(|(name, _)| is_meant(name)) {
        store.put_slot(name, record, store::records(&slots));
    }
    disk.has_caught_up().await;
    if let Some(trouble) = store.trouble() {
        return Err(Failure::new(Code::Failed, trouble));
    }
    let mut said: Vec<String> = aside.into_iter().map(|aside| aside.to_string()).collect();
    said.extend(journal::end_left_behind(place.state_dir())?);
    Ok(Some(said))
}

fn unusable(place: &Place, error: &io::Error) -> Failure {
    let folder = place.state_dir().display();
    Failure::new(Code::BadConfig, format!("the state folder cannot be used: {folder}: {error}"))
}

/// As after a stop.
fn lay_to_rest(record: &mut Record) {
    record.intent = Intent::Rest;
    record.past = worker_core::Past::default();
}
