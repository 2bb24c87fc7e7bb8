//! Many slots in one daemon, each with a silent child that is as small as a program can be: what
//! they cost in time and memory, beside the bare system calls.

#[cfg(target_os = "linux")]
mod asking;
#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
#[path = "../common/daemon.rs"]
mod daemon;
#[cfg(target_os = "linux")]
#[path = "../common/elf.rs"]
mod elf;
#[cfg(target_os = "linux")]
mod ending;
#[cfg(target_os = "linux")]
mod footprint;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod project;
#[cfg(target_os = "linux")]
mod starting;
#[cfg(target_os = "linux")]
mod status;
#[cfg(target_os = "linux")]
#[path = "../../../platform-unix/benches/common/times.rs"]
mod times;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: only written for Linux");
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(program) = elf::install(&project::PAUSE, "pause")? else { return Ok(()) };
    println!("=> {}", starting::report(&program)?);
    println!("=> {}", ending::report(&program)?);
    let crowd = project::Crowd::start(&program)?;
    println!("=> {}", crowd.footprint);
    println!("=> {}", status::report(&crowd.daemon)?);
    println!("=> {}", idle::report(&crowd.daemon)?);
    Ok(())
}
