//! `worker daemon install`.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::service::{MARK, Manager, Service};
use crate::args::InstallArgs;
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::socket::Place;

/// Writes the service, or prints it; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if it cannot be written, or if there is one that somebody else wrote.
pub(super) fn install(args: &InstallArgs) -> Result<u8, Failure> {
    let manager = Manager::of_this_system();
    let text = manager.text(&service(args)?);
    if args.print {
        print(&text)?;
        return Ok(exit_code::DONE);
    }
    let home = env::home_dir().filter(|home| home.is_absolute()).ok_or_else(no_home)?;
    let file = manager.file(&home, env::var_os("XDG_CONFIG_HOME").map(PathBuf::from));
    write(&file, &text)?;
    let next = manager.next(&file);
    print(&format!("wrote {}\nTo start it now and at each login:\n  {next}\n", file.display()))?;
    Ok(exit_code::DONE)
}

fn service(args: &InstallArgs) -> Result<Service, Failure> {
    let place = Place::of(&args.state)?;
    let state_dir = (!place.is_default()).then(|| place.state_dir().to_owned());
    let program = env::current_exe().map_err(|error| {
        Failure::new(Code::Failed, format!("worker does not know where it is itself: {error}"))
    })?;
    Ok(Service { program, state_dir })
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    match fs::read_to_string(file) {
        Ok(old) if !old.contains(MARK) => return Err(not_ours(file)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(file, &error));
        }
        Ok(_) | Err(_) => {}
    }
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| unusable(file, &error))
}

fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Failed, format!("stdout cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn no_home() -> Failure {
    Failure::new(Code::Failed, "there is no home folder to install the service in")
        .hint("see it, and put it where it belongs: worker daemon install --print")
}

fn not_ours(file: &Path) -> Failure {
    let message = format!("{} was not written by worker, and is left alone", file.display());
    Failure::new(Code::Failed, message)
        .hint("move it away, or compare it with: worker daemon install --print")
}

fn unusable(file: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Failed, format!("{} cannot be written: {error}", file.display()))
}
