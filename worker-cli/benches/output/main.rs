//! Output: a child that writes 1 GB as fast as it can into the log of a slot, beside the same child
//! with its output piped through `cat` into a file, in turn.
//!
//! The log is asked twice: alone, and with a follower that does not read. What is stored is compared
//! line by line with what the child wrote.

#[cfg(unix)]
mod cat;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod emit;
#[cfg(unix)]
mod stored;
#[cfg(unix)]
#[path = "../../../platform-unix/benches/common/times.rs"]
mod times;

#[cfg(not(unix))]
fn main() {
    println!("skipped: only written for Unix");
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    use self::stored::Follower;
    use self::times::Times;

    const ROUNDS: usize = 5;

    if std::env::args().nth(1).as_deref() == Some(emit::ARGUMENT) {
        return emit::emit();
    }
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let alone = stored::store(Follower::None)?;
        let cat = cat::write()?;
        rounds.push((alone, stored::store(Follower::Asleep)?, cat));
    }
    let alone = Times::of(rounds.iter().map(|round| round.0));
    let followed = Times::of(rounds.iter().map(|round| round.1));
    let cat = Times::of(rounds.iter().map(|round| round.2));
    println!(
        "=> 1 GB in lines of 100 bytes, {ROUNDS} rounds: into a log {alone}, by `cat` into a file \
         {cat}; {}, aim <= 2.00",
        alone.ratio_to(&cat),
    );
    println!(
        "=> with a follower that does not read {followed}; {}; stored exactly each time: {} lines, \
         {} bytes",
        followed.ratio_to(&cat),
        emit::LINES,
        emit::LINES * emit::LINE as u64,
    );
    Ok(())
}
