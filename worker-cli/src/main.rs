//! The `worker` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker_platform_unix::shim::exec_if_asked();
    if let Some(answered) = worker_cli::cli::complete_if_asked(std::env::args_os()) {
        return answered;
    }
    if let Some(failed) = worker_cli::cli::enter_scope(std::env::args_os()) {
        return failed;
    }
    worker_cli::guardian::stand_guard()
        .unwrap_or_else(|| worker_cli::cli::main(std::env::args_os()))
}
