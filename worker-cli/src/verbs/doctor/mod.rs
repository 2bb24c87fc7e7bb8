//! `worker doctor`: whether the promises can be kept here, by what, and what would be better.

mod diagnosis;
mod look;
mod text;

use std::io::{self, Write};

use self::diagnosis::Diagnosis;
use crate::args::DoctorArgs;
use crate::error::{Code, Failure};
use crate::exit_code;

/// Runs the verb; answers the exit code, 0 if the promises can be kept.
///
/// # Errors
///
/// [`Failure`] if it could not look, or if stdout cannot be written.
pub(crate) fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    let diagnosis = look::look(&args.state)
        .map_err(|error| Failure::new(Code::Failed, format!("it cannot look: {error}")))?;
    let answer = if args.json { diagnosis.to_json() } else { text::render(&diagnosis) };
    match writeln!(io::stdout().lock(), "{answer}") {
        // A reader that has seen enough is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Failed, format!("stdout cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(exit_code(&diagnosis)),
    }
}

fn exit_code(diagnosis: &Diagnosis) -> u8 {
    if diagnosis.problems().is_empty() { exit_code::DONE } else { exit_code::FAILED }
}
