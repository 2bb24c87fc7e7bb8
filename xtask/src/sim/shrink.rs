//! The shortest script that still breaks the same rule.

use worker_core::{Exit, Report};

use super::episode::{Episode, replay};
use super::script::{Act, Gap, Step};
use super::tally::Tally;
use super::world::Failure;

/// Cuts the script, then the world, then the times, until nothing can be left out.
pub(crate) fn shrink(mut episode: Episode, failure: &Failure) -> Episode {
    loop {
        let before = (episode.script.len(), episode.weight());
        episode = cut_steps(episode, failure);
        episode = simplify_setup(episode, failure);
        episode = simplify_steps(episode, failure);
        episode = simplify_acts(episode, failure);
        episode = cut_and_shift(episode, failure);
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
    let bare = Episode { end: None, ..episode.clone() };
    if episode.end.is_some() && fails_alike(&bare, failure) { bare } else { episode }
}

/// Gaps that are easy to read, the simplest first.
const GAPS: [Gap; 5] = [
    Gap::Nanos(0),
    Gap::Wakeup(0),
    Gap::Nanos(1_000_000_000),
    Gap::Nanos(9_000_000_000),
    Gap::Nanos(100_000_000_000),
];

fn simplify_steps(mut episode: Episode, failure: &Failure) -> Episode {
    for at in 0..episode.script.len() {
        let present = GAPS.iter().position(|gap| *gap == episode.script[at].gap);
        for gap in &GAPS[..present.unwrap_or(GAPS.len())] {
            let simpler = with_gap(&episode, at, *gap);
            if fails_alike(&simpler, failure) {
                episode = simpler;
                break;
            }
        }
    }
    episode
}

/// Has a run crash instead of whatever else befalls it, which often makes other steps needless.
fn simplify_acts(episode: Episode, failure: &Failure) -> Episode {
    let crash = Act::Say { back: 0, report: Report::LeaderExited(Exit::Code(1)) };
    for at in 0..episode.script.len() {
        let step = episode.script[at];
        let befalls = step.act == Act::Tick || matches!(step.act, Act::Say { back: 0, .. });
        if !befalls || step.act == crash || episode.script.len() > PATIENCE {
            continue;
        }
        let slots = u8::try_from(episode.setup.slots).unwrap_or(u8::MAX);
        for slot in 0..slots {
            let mut simpler = episode.clone();
            simpler.script[at] = Step { gap: Gap::Nanos(0), slot, act: crash };
            if fails_alike(&simpler, failure) {
                let shorter = cut_steps(simpler, failure);
                if shorter.script.len() < episode.script.len() {
                    return shorter;
                }
            }
        }
    }
    episode
}

/// Longer scripts are left to the quick cuts.
const PATIENCE: usize = 40;

/// Leaves steps out that only together can go, where what comes next may come at another time:
/// each row of steps, and each two of them.
fn cut_and_shift(mut episode: Episode, failure: &Failure) -> Episode {
    while episode.script.len() <= PATIENCE {
        let length = episode.script.len();
        let rows = (1..length).flat_map(|size| (0..length - size).map(move |at| (at, size)));
        let mut cuts = rows.map(|(at, size)| (at..at + size).collect::<Vec<_>>()).chain(
            (0..length).flat_map(|second| (0..second).map(move |first| vec![first, second])),
        );
        let Some(shorter) = cuts.find_map(|cut| without(&episode, &cut, failure)) else { break };
        episode = shorter;
    }
    episode
}

fn without(episode: &Episode, cut: &[usize], failure: &Failure) -> Option<Episode> {
    let mut shorter = episode.clone();
    for at in cut.iter().rev() {
        shorter.script.remove(*at);
    }
    let next = cut.last().map_or(0, |last| last + 1 - cut.len());
    if next >= shorter.script.len() {
        return fails_alike(&shorter, failure).then_some(shorter);
    }
    let gaps = [shorter.script[next].gap].into_iter().chain(GAPS);
    gaps.map(|gap| with_gap(&shorter, next, gap)).find(|shifted| fails_alike(shifted, failure))
}

fn with_gap(episode: &Episode, at: usize, gap: Gap) -> Episode {
    let mut changed = episode.clone();
    changed.script[at] = Step { gap, ..changed.script[at] };
    changed
}
