//! Emptying a tree of 500 processes, of which 250 left their group, session and parent: by the
//! platform, beside the bare system calls that anybody would need.
//!
//! Each round has a process of its own, since all children of a process belong to whoever reaps
//! there. The two sides take turns, so that what else goes on in the machine hits both alike.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod ours;
#[cfg(target_os = "linux")]
mod round;
#[cfg(target_os = "linux")]
#[path = "../common/sweep.rs"]
mod sweep;
#[cfg(target_os = "linux")]
#[path = "../common/times.rs"]
mod times;
#[cfg(target_os = "linux")]
mod tree;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: only written for Linux");
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    use round::{Means, Side};

    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, side, rest @ ..] = args.as_slice()
        && word == round::WORD
    {
        return round::carry_out(Side::from_name(side)?, Means::from_args(rest));
    }
    compare("a subreaper", &Means::Subreaper)?;
    match ours::home_of_cgroups()? {
        Ok(home) => compare("cgroup.kill", &Means::Cgroup { home }),
        Err(why) => {
            println!("=> a tree of 500, by cgroup: skipped: {why}");
            Ok(())
        }
    }
}

#[cfg(target_os = "linux")]
fn compare(by: &str, means: &round::Means) -> std::io::Result<()> {
    use round::{Side, time};
    use times::Times;

    const ROUNDS: usize = 20;

    let mut rounds = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        rounds.0.push(time(Side::Ours, means)?);
        rounds.1.push(time(Side::Bare, means)?);
    }
    let (ours, bare) = (Times::of(rounds.0), Times::of(rounds.1));
    let ratio = ours.ratio_to(&bare);
    println!(
        "=> a tree of 500 with 250 escapees, emptied by {by}, {ROUNDS} rounds: {ours}, bare {bare}; \
         {ratio}, aim <= 2.00"
    );
    Ok(())
}
