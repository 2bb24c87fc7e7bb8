//! Many worlds, one after the other, until one fails or enough has been seen.

use std::io::Write;
use std::panic;
use std::time::{Duration, Instant};

use super::EXIT_TOO_KIND;
use super::episode::{Drawn, draw, replay};
use super::exhaustive;
use super::moves::Moves;
use super::options::Options;
use super::rng::Rng;
use super::shrink::shrink;
use super::sometimes::SOMETIMES;
use super::tally::Tally;
use super::trace;

/// Seeds that once failed. Every run of the tests replays them.
const SEEDS: &str = include_str!("seeds.txt");

/// A campaign this large must have come across everything that happens sometimes.
const LARGE: u64 = 100_000;

/// So many states of each small world are explored before a campaign.
const SMALL: usize = 10_000;

pub(crate) fn run(options: &Options) -> u8 {
    println!("cargo xtask sim {options}");
    silence_panics();
    if let Some(limit) = options.exhaustive {
        return exhaustive::report(limit);
    }
    let alone = options.lives == 0 || options.minutes.is_some();
    let code = if alone { 0 } else { exhaustive::report(SMALL) };
    if code != 0 {
        return code;
    }
    let mut campaign = Campaign::new(*options);
    let failed = campaign.known_worlds().or_else(|| campaign.new_worlds());
    failed.map_or_else(|| campaign.summary(), |drawn| campaign.report(&drawn))
}

fn known_seeds() -> impl Iterator<Item = u64> {
    let lines = SEEDS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| {
        let seed = line.split_whitespace().next().and_then(|seed| seed.parse().ok());
        seed.unwrap_or_else(|| panic!("seeds.txt: `{line}` does not begin with a seed"))
    })
}

/// A panic of the core is a finding, and printed as one.
fn silence_panics() {
    panic::set_hook(Box::new(|_| {}));
}

struct Campaign {
    options: Options,
    moves: Moves,
    tally: Tally,
    lives: u64,
    worlds: u64,
    seed: u64,
    began: Instant,
    printed: Instant,
}

impl Campaign {
    fn new(options: Options) -> Self {
        let now = Instant::now();
        let (moves, tally) = (Moves::new(), Tally::new());
        let seed = options.seed;
        Self { options, moves, tally, lives: 0, worlds: 0, seed, began: now, printed: now }
    }

    fn goes_on(&self) -> bool {
        match self.options.minutes {
            Some(minutes) => self.began.elapsed() < Duration::from_secs(60 * minutes),
            None => self.worlds == 0 || self.lives < self.options.lives,
        }
    }

    /// The seeds that once failed, unless one world alone is wanted.
    fn known_worlds(&mut self) -> Option<Drawn> {
        let alone = self.options.lives == 0 && self.options.minutes.is_none();
        known_seeds().filter(|_| !alone).find_map(|seed| self.world(seed))
    }

    /// The first world has the seed of the campaign, so that a world can be repeated alone.
    fn new_worlds(&mut self) -> Option<Drawn> {
        let mut seed = self.options.seed;
        self.worlds = 0;
        while self.goes_on() {
            if let Some(drawn) = self.world(seed) {
                return Some(drawn);
            }
            seed = Rng::new(self.options.seed ^ Rng::new(self.worlds).next()).next();
        }
        None
    }

    fn world(&mut self, seed: u64) -> Option<Drawn> {
        let drawn = draw(seed, self.options.steps, &mut self.moves, &mut self.tally);
        self.seed = seed;
        self.worlds += 1;
        self.lives += drawn.lives;
        if self.options.minutes.is_some() && self.printed.elapsed() > Duration::from_secs(2) {
            self.progress();
        }
        drawn.failure.is_some().then_some(drawn)
    }

    fn progress(&mut self) {
        self.printed = Instant::now();
        let (entered, cells) = self.tally.coverage.extent();
        let seen = self.tally.sometimes.iter().filter(|count| **count > 0).count();
        eprint!(
            "\r{} s: {} lives, {}/s, {entered} of {cells} cells, {seen} of {} sometimes ",
            self.began.elapsed().as_secs(),
            self.lives,
            self.rate(),
            SOMETIMES.len(),
        );
        let _ = std::io::stderr().flush();
    }

    fn rate(&self) -> u64 {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.lives * 1000 / millis.max(1)
    }

    fn report(&self, drawn: &Drawn) -> u8 {
        let Some(failure) = &drawn.failure else { return 0 };
        println!("world {} of the campaign, seed {}", self.worlds, self.seed);
        print!("{}", trace::verdict(failure));
        let episode = shrink(drawn.episode.clone(), failure);
        let (calls, shrunk) = replay(&episode, &mut Tally::new(), true);
        println!("\nshrunk to {} steps:", calls.len());
        print!("{}", trace::table(&calls));
        print!("{}", trace::verdict(shrunk.as_ref().unwrap_or(failure)));
        println!("\n{}", trace::policies(&episode.setup));
        let alone = Options { seed: self.seed, lives: 0, minutes: None, ..self.options };
        println!("\nrepeat with: cargo xtask sim {alone}");
        failure.exit_code()
    }

    fn summary(&self) -> u8 {
        eprintln!("\n{} lives a second", self.rate());
        println!("{} worlds, {} lives, {} inputs", self.worlds, self.lives, self.tally.inputs);
        println!("\n{}", self.tally.coverage.table());
        let (entered, cells) = self.tally.coverage.extent();
        println!("{entered} of {cells} cells entered");
        println!("\nsometimes:");
        for &what in SOMETIMES {
            println!("{:>10}  {what:?}", self.tally.sometimes[what as usize]);
        }
        self.verdict()
    }

    /// A large campaign that has not seen enough fails.
    fn verdict(&self) -> u8 {
        let gaps = self.tally.coverage.gaps();
        let unseen = SOMETIMES.iter().filter(|what| self.tally.sometimes[**what as usize] == 0);
        let unseen: Vec<String> = unseen.map(|what| format!("{what:?}")).collect();
        if self.lives < LARGE || gaps.is_empty() && unseen.is_empty() {
            return 0;
        }
        println!("\nnever seen: {}", [gaps, unseen].concat().join(", "));
        EXIT_TOO_KIND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_once_failed_hold() {
        silence_panics();
        let mut campaign = Campaign::new(Options::default());
        assert!(campaign.known_worlds().is_none());
        assert!(campaign.worlds > 0);
    }

    #[test]
    fn a_seed_gives_the_same_world_twice() {
        let draw_again = || {
            let mut tally = Tally::new();
            let drawn = draw(1, 200, &mut Moves::new(), &mut tally);
            (format!("{:?}", drawn.episode), tally.coverage)
        };
        assert_eq!(draw_again(), draw_again());
    }
}
