//! How soon a slot is `running` once its child can be used: `worker start` as its client sees it, by
//! the child's own notes of the time.
//!
//! The child begins to listen after a while that differs from round to round, so that no interval of
//! the probes fits it by chance.

#[cfg(unix)]
mod child;
#[cfg(unix)]
#[path = "../common/daemon.rs"]
mod daemon;
#[cfg(unix)]
mod rounds;

#[cfg(not(unix))]
fn main() {
    println!("skipped: only written for Unix");
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(child::ARGUMENT) {
        return child::serve();
    }
    for line in rounds::report()? {
        println!("=> {line}");
    }
    Ok(())
}
