//! The rounds, and what they say.

use std::io;

use crate::cat;
use crate::emit::Load;
use crate::stored::{Follower, store};
use crate::times::Times;

const ROUNDS: usize = 5;

/// For people.
pub(crate) fn report(load: Load) -> io::Result<String> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let alone = store(load, Follower::None)?;
        let cat = cat::write(load)?;
        rounds.push((alone, cat, store(load, Follower::Asleep)?));
    }
    let alone = Times::of(rounds.iter().map(|round| round.0));
    let cat = Times::of(rounds.iter().map(|round| round.1));
    let followed = Times::of(rounds.iter().map(|round| round.2));
    Ok(format!(
        "{ROUNDS} rounds: into a log {alone}, by `cat` into a file {cat}; {}, with a follower that \
         does not read {followed}; {}; aim <= 2.00; {} lines stored exactly each time",
        alone.ratio_to(&cat),
        followed.ratio_to(&cat),
        load.lines,
    ))
}
