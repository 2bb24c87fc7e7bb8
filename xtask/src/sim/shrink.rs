//! The shortest script that still breaks the same rule.

use super::episode::{Episode, replay};
use super::script::{Gap, Step};
use super::tally::Tally;
use super::world::Failure;

/// Cuts the script, then the world, then the times, until nothing can be left out.
pub(crate) fn shrink(mut episode: Episode, failure: &Failure) -> Episode {
    loop {
        let before = (episode.script.len(), episode.weight());
        episode = cut_steps(episode, failure);
        episode = simplify_setup(episode, failure);
        episode = simplify_steps(episode, failure);
        if (episode.script.len(), episode.weight()) == before {
            return episode;
        }
    }
}

fn fails_alike(episode: &Episode, failure: &Failure) -> bool {
    let mut tally = Tally::new();
    replay(episode, &mut tally, false).1.is_some_and(|found| found.name() == failure.name())
}

/// Delta debugging (Zeller and Hildebrandt, 2002) with chunks that halve down to single steps.
fn cut_steps(mut episode: Episode, failure: &Failure) -> Episode {
    let mut chunk = episode.script.len().max(1);
    while chunk > 0 {
        let mut at = 0;
        while at < episode.script.len() {
            let end = (at + chunk).min(episode.script.len());
            let mut shorter = episode.clone();
            shorter.script.drain(at..end);
            if fails_alike(&shorter, failure) {
                episode = shorter;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    episode
}

fn simplify_setup(mut episode: Episode, failure: &Failure) -> Episode {
    let mut nth = 0;
    while let Some(setup) = episode.setup.simpler(nth) {
        let simpler = Episode { setup, ..episode.clone() };
        if fails_alike(&simpler, failure) {
            episode = simpler;
        }
        nth += 1;
    }
    let bare = Episode { settles: None, ..episode.clone() };
    if episode.settles.is_some() && fails_alike(&bare, failure) { bare } else { episode }
}

fn simplify_steps(mut episode: Episode, failure: &Failure) -> Episode {
    for at in 0..episode.script.len() {
        for gap in [Gap::Nanos(0), Gap::Wakeup(0), Gap::Nanos(1_000_000_000)] {
            if episode.script[at].gap == gap {
                break;
            }
            let mut simpler = episode.clone();
            simpler.script[at] = Step { gap, ..episode.script[at] };
            if fails_alike(&simpler, failure) {
                episode = simpler;
                break;
            }
        }
    }
    episode
}
