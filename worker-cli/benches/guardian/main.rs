//! The guardian: how little memory it takes, and how soon nothing is left of a supervisor that was
//! killed.

#[cfg(target_os = "linux")]
mod killed;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
#[path = "../../../platform-unix/benches/common/sweep.rs"]
mod sweep;
#[cfg(target_os = "linux")]
#[path = "../../../platform-unix/benches/common/times.rs"]
mod times;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: only written for Linux");
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    println!("=> {}", memory::report()?);
    println!("=> {}", killed::report()?);
    Ok(())
}
