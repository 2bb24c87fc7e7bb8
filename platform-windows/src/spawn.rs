//! Spawns a leader, or says why there is none.

use std::io;
use std::os::windows::io::OwnedHandle;
use std::os::windows::process::CommandExt;
use std::process::{Child, Command as StdCommand, Stdio};
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_COMMITMENT_LIMIT, ERROR_DIRECTORY,
    ERROR_EXE_MACHINE_TYPE_MISMATCH, ERROR_FILE_NOT_FOUND, ERROR_NO_SYSTEM_RESOURCES,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_PATH_NOT_FOUND, ERROR_TOO_MANY_OPEN_FILES,
};
use windows_sys::Win32::System::Threading::CREATE_NEW_PROCESS_GROUP;
use worker_core::{SpawnError, SpawnFailure};

use crate::command::{Command, Input, Output};
use crate::exit_watch::ExitWatch;
use crate::process;
use crate::run::Run;

/// Spawns the leader of a run in a console process group of its own.
///
/// # Errors
///
/// [`SpawnError`] if there is no leader; nothing of it is left then.
pub(crate) fn spawn(command: &Command) -> Result<Run, SpawnError> {
    check_folder(command)?;
    let child = prepared(command).spawn().map_err(|error| failed(command, &error))?;
    watched(child).map_err(|error| failed(command, &error))
}

/// Windows has one error for a missing folder and for a missing program.
fn check_folder(command: &Command) -> Result<(), SpawnError> {
    let dir = command.dir.display();
    let problem = match command.dir.metadata() {
        Ok(folder) if folder.is_dir() => return Ok(()),
        Ok(_) => "it is no folder".to_owned(),
        Err(error) => error.to_string(),
    };
    let message = format!("cannot run in {dir}: {problem}; create it, or name another folder");
    Err(SpawnError { failure: SpawnFailure::BadFolder, message })
}

fn prepared(command: &Command) -> StdCommand {
    let mut prepared = StdCommand::new(&command.program);
    prepared
        .args(&command.args)
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&command.dir)
        .stdin(input(command.stdin))
        .stdout(output(command.stdout))
        .stderr(output(command.stderr))
        .creation_flags(CREATE_NEW_PROCESS_GROUP);
    prepared
}

fn input(input: Input) -> Stdio {
    match input {
        Input::Null => Stdio::null(),
        Input::Inherit => Stdio::inherit(),
    }
}

fn output(output: Output) -> Stdio {
    match output {
        Output::Null => Stdio::null(),
        Output::Inherit => Stdio::inherit(),
    }
}

fn watched(child: Child) -> io::Result<Run> {
    let pid = child.id();
    let process = Arc::new(OwnedHandle::from(child));
    // A leader that cannot be watched must not live on.
    let watch = ExitWatch::new(Arc::clone(&process)).inspect_err(|_| {
        process::terminate(&process);
    })?;
    Ok(Run::new(pid, process, watch))
}

fn failed(command: &Command, error: &io::Error) -> SpawnError {
    let code = error.raw_os_error().map_or(0, i32::cast_unsigned);
    let (failure, mend) = match code {
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => {
            (SpawnFailure::NotFound, "check the path of the program")
        }
        ERROR_DIRECTORY => (SpawnFailure::BadFolder, "check the folder to run in"),
        ERROR_ACCESS_DENIED | ERROR_BAD_EXE_FORMAT | ERROR_EXE_MACHINE_TYPE_MISMATCH => {
            (SpawnFailure::NotExecutable, "name a program that Windows can execute")
        }
        ERROR_NOT_ENOUGH_MEMORY
        | ERROR_NO_SYSTEM_RESOURCES
        | ERROR_COMMITMENT_LIMIT
        | ERROR_TOO_MANY_OPEN_FILES => (SpawnFailure::NoResources, "end something, then try again"),
        _ => (SpawnFailure::Other, "try it in a terminal"),
    };
    let message = format!("cannot execute {}: {error}; {mend}", command.program.display());
    SpawnError { failure, message }
}
