//! One world from its first step to the last: drawn from a seed, or replayed from a script.

use super::moves::Moves;
use super::rng::Rng;
use super::script::{Gap, Step};
use super::settle::{ENDS, End, settle};
use super::setup::Setup;
use super::sometimes::Sometimes;
use super::tally::Tally;
use super::world::{Call, Failure, World};

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    pub(crate) setup: Setup,
    pub(crate) script: Vec<Step>,
    /// How the faults stop in the end, if that is wanted.
    pub(crate) end: Option<End>,
}

impl Episode {
    /// How much there is to read, beside the number of steps.
    pub(crate) fn weight(&self) -> usize {
        let odd = self.script.iter().filter(|step| step.gap != Gap::Nanos(0)).count();
        odd + usize::from(self.end.is_some())
    }
}

/// What came of a drawn world.
pub(crate) struct Drawn {
    pub(crate) episode: Episode,
    pub(crate) failure: Option<Failure>,
    pub(crate) lives: u64,
}

/// Draws a world and so many steps from the seed.
pub(crate) fn draw(seed: u64, steps: usize, moves: &mut Moves, tally: &mut Tally) -> Drawn {
    let mut rng = Rng::new(seed);
    let setup = Setup::random(seed, &mut rng);
    let end = rng.pick(&ENDS);
    let mut script = Vec::with_capacity(steps);
    let mut world = World::new(&setup);
    let mut failure = None;
    for _ in 0..steps {
        let step = moves.draw(&world, &mut rng);
        note_time(step, tally);
        script.push(step);
        if let Err(found) = world.step(step, tally) {
            failure = Some(found);
            break;
        }
        if world.ledger.shutting.is_some() && world.ledger.open_shutdowns.is_empty() {
            break;
        }
    }
    if failure.is_none() {
        failure = settle(&mut world, end, tally).err();
    }
    let lives = world.ledger.lives;
    Drawn { episode: Episode { setup, script, end: Some(end) }, failure, lives }
}

fn note_time(step: Step, tally: &mut Tally) {
    match step.gap {
        Gap::Back(_) => tally.mark(Sometimes::ClockWentBack),
        Gap::Nanos(nanos) if nanos > 20_000_000_000 => tally.mark(Sometimes::ClockJumped),
        Gap::Wakeup(0) => tally.mark(Sometimes::DeadlineTied),
        Gap::Nanos(_) | Gap::Wakeup(_) => {}
    }
}

/// Plays the script again; the calls are kept where somebody wants to read them.
pub(crate) fn replay(
    episode: &Episode,
    tally: &mut Tally,
    observed: bool,
) -> (Vec<Call>, Option<Failure>) {
    let mut world = World::new(&episode.setup);
    world.observer = observed.then(Vec::new);
    let failure = play(&mut world, episode, tally).err();
    (world.observer.unwrap_or_default(), failure)
}

fn play(world: &mut World<'_>, episode: &Episode, tally: &mut Tally) -> Result<(), Failure> {
    for step in &episode.script {
        world.step(*step, tally)?;
    }
    match episode.end {
        Some(end) => settle(world, end, tally),
        None => Ok(()),
    }
}
