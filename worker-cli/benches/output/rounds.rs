//! The rounds, and what they say.

use std::io;
use std::time::Duration;

use crate::cat;
use crate::emit::Load;
use crate::served::serve;
use crate::stored::{Follower, store};
use crate::times::Times;

const ROUNDS: usize = 5;

/// For people.
pub(crate) fn report(load: Load) -> io::Result<String> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push(Round {
            alone: store(load, Follower::None)?,
            served: serve(load, Follower::None)?,
            cat: cat::write(load)?,
            followed: store(load, Follower::Asleep)?,
            served_followed: serve(load, Follower::Asleep)?,
        });
    }
    let times = |time: fn(&Round) -> Duration| Times::of(rounds.iter().map(time));
    let cat = times(|round| round.cat);
    let beside = |times: Times| format!("{times}; {}", times.ratio_to(&cat));
    Ok(format!(
        "{ROUNDS} rounds: by `cat` into a file {cat}; into a log {}, with a follower that does not \
         read {}; in a daemon {}, with a follower of its API that does not read {}; aim <= 2.00; {} \
         lines stored exactly in each log, and the last one in each daemon",
        beside(times(|round| round.alone)),
        beside(times(|round| round.followed)),
        beside(times(|round| round.served)),
        beside(times(|round| round.served_followed)),
        load.lines,
    ))
}

/// How long each way took.
struct Round {
    cat: Duration,
    alone: Duration,
    followed: Duration,
    served: Duration,
    served_followed: Duration,
}
