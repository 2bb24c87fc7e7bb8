//! Output: a child that writes 1 GB as fast as it can into the log of a slot, beside the same child
//! with its output piped through `cat` into a file, in turn.
//!
//! The log is asked twice: alone, and with a follower that does not read. What is stored is compared
//! line by line with what the child wrote. The same goes through a daemon, from the start of the slot
//! until it is at rest, where the follower is one of its API.

#[cfg(unix)]
mod cat;
#[cfg(unix)]
mod child;
#[cfg(unix)]
#[path = "../common/daemon.rs"]
mod daemon;
#[cfg(unix)]
mod emit;
#[cfg(unix)]
mod rounds;
#[cfg(unix)]
mod served;
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
    use self::emit::Load;

    if let Some(emitted) = emit::emit_if_asked(std::env::args().skip(1)) {
        return emitted;
    }
    println!("=> 1 GB in lines of 100 bytes, {}", rounds::report(Load::BLOCKS)?);
    println!("=> 100 MB, each line written by itself, {}", rounds::report(Load::LINES)?);
    Ok(())
}
