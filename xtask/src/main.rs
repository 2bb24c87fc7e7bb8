//! Chores of the workspace: `cargo xtask <task>`. One file per task.
#![forbid(unsafe_code)]

mod bench;
mod bite;
mod cargo;
mod dist;
mod layers;
mod mutants;
mod purity;
#[cfg(target_os = "linux")]
mod signals;
mod sim;
mod soak;
mod sources;
mod step;
mod test;
mod tidy;
#[cfg(target_os = "linux")]
mod zoo;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <TASK>

Tasks:
  test [STEP…]  every check there is, or the named ones; what CI runs
  sim           simulate hosts around the reducer; `sim --help` tells more
  bite [WORD…]  show that the simulation catches faults of the reducer
  mutants       which changes of the reducer would no test notice?
  zoo           awkward process trees × their ends: what is left? `zoo --help` tells more
  tidy          the checks of the house that no other tool makes
  bench [NAME…] how fast it is, as ratios
  soak [RUNS]   does anything of us grow with the number of past runs?
  dist          the files of a release, in target/dist
";

/// The user asked for something that does not exist.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    signals::let_none_be_ignored_by_children();
    let args: Vec<String> = env::args().skip(1).collect();
    let Some((task, rest)) = args.split_first() else {
        print!("{USAGE}");
        return ExitCode::from(EXIT_USAGE);
    };
    match task.as_str() {
        "test" => test::run(rest),
        "sim" => sim::sim(rest.iter().cloned()),
        "bite" => bite::run(rest),
        "mutants" => step::run_all(&[mutants::STEP]),
        #[cfg(target_os = "linux")]
        "zoo" => zoo::run(rest),
        "tidy" => step::run_all(&[tidy::STEP]),
        "bench" => bench::run(rest),
        "soak" => soak::run(rest),
        "dist" => step::run_all(&[dist::STEP]),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        unknown => {
            eprintln!("error: there is no task `{unknown}`\n\n{USAGE}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}
