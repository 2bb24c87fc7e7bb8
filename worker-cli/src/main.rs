//! The `worker` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker_cli::cli::main(std::env::args_os())
}
