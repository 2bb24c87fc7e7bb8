//! `worker completions`, and the manual pages of a release.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::args::Cli;
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::verbs::screen::print;

/// The options of `worker completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// The options of the hidden verb that writes manual pages.
#[derive(Clone, Debug, Args)]
pub struct ManualsArgs {
    /// Where to write them; the folder must be there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Tells this program which shell asks for what could be typed next.
const VARIABLE: &str = "WORKER_COMPLETE";

pub(crate) const HELP: &str = "\
The names of slots and projects are completed too: what shells get asks `worker`
itself at each TAB, which reads worker.toml and asks the daemon if one runs.

Examples, for where the shell begins, so that it is always that of this version:
  bash:  echo 'source <(worker completions bash)' >> ~/.bashrc
  zsh:   echo 'source <(worker completions zsh)' >> ~/.zshrc
  fish:  echo 'worker completions fish | source' >> ~/.config/fish/config.fish

Exit codes:
  0 done    2 no such shell";

/// Prints what makes a shell complete the words of `worker`; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if stdout cannot be written.
pub(crate) fn run(args: &CompletionsArgs) -> Result<u8, Failure> {
    let script = script(args.shell).map_err(|error| Failure::new(Code::Failed, error.to_string()));
    print(script?.trim())?;
    Ok(exit_code::DONE)
}

fn script(shell: Shell) -> io::Result<String> {
    let mut script = Vec::new();
    if let Some(completer) = Shells::builtins().completer(&shell.to_string()) {
        completer.write_registration(VARIABLE, "worker", "worker", "worker", &mut script)?;
    }
    let script = String::from_utf8_lossy(&script);
    Ok(match shell {
        Shell::Bash => for_bash(&script),
        Shell::Zsh => format!("{script}{ZSH_FILE}"),
        Shell::Elvish | Shell::Fish | Shell::PowerShell | _ => script.into_owned(),
    })
}

/// An instance of a template has an @ in its name, at which bash would begin a new word, and what
/// ends with it is not complete.
fn for_bash(script: &str) -> String {
    let script = script.replace("=~ [=/:]$", "=~ [=/:@]$");
    format!("COMP_WORDBREAKS=${{COMP_WORDBREAKS//@/}}\n{script}")
}

/// As a file of $fpath the script is the body of the function that completes.
const ZSH_FILE: &str = r#"
if [[ "$funcstack[1]" == _worker ]]; then
    _clap_dynamic_completer_worker "$@"
fi"#;

/// Answers a shell that asks what could be typed next. None if none asks.
pub(crate) fn answer_if_asked(words: Vec<OsString>) -> Option<u8> {
    let asked = CompleteEnv::with_factory(Cli::command).var(VARIABLE);
    match asked.try_complete(words, std::env::current_dir().ok().as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(exit_code::DONE),
        Err(error) => {
            // The shell does not show it.
            drop(error.print());
            Some(exit_code::USAGE)
        }
    }
}

/// Writes a page for `worker` and one for each verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if a file cannot be written.
pub(crate) fn manuals(args: &ManualsArgs) -> Result<u8, Failure> {
    write_manuals(&args.folder).map_err(|error| {
        Failure::new(Code::Failed, format!("{}: {error}", args.folder.display()))
    })?;
    Ok(exit_code::DONE)
}

fn write_manuals(folder: &Path) -> io::Result<()> {
    let mut worker = Cli::command();
    worker.build();
    write_manual(&worker, folder)
}

/// The page of this command, and those of the ones below it.
fn write_manual(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.into_iter().try_for_each(|below| write_manual(below, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_that_is_shown_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        write_manuals(folder.path()).unwrap();
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let page = folder.path().join(format!("worker-{}.1", verb.get_name()));
            let page = fs::read_to_string(page).unwrap();
            assert!(page.contains(".SH NAME"), "{}", verb.get_name());
        }
        let whole = fs::read_to_string(folder.path().join("worker.1")).unwrap();
        assert!(!whole.contains("__"), "what is hidden stays so");
    }
}
