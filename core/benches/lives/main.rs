//! How many inputs a second the reducer takes, with 1,000 slots that live whole lives, and how
//! often it allocates.
//!
//! On Linux only: criterion brings code in C along, which a check for another system from there
//! could not compile.

#[cfg(target_os = "linux")]
mod fleet;
#[cfg(target_os = "linux")]
mod reducer;

#[cfg(target_os = "linux")]
criterion::criterion_main!(reducer::benches);

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: only built on Linux");
}
