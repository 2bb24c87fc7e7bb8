//! The `worker` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker_cli::guardian::stand_guard()
        .unwrap_or_else(|| worker_cli::cli::main(std::env::args_os()))
}
