//! `worker completions`, and the manual pages of a release.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

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

pub(crate) const HELP: &str = "\
Examples:
  bash:  worker completions bash > ~/.local/share/bash-completion/completions/worker
  zsh:   worker completions zsh > \"${fpath[1]}/_worker\"
  fish:  worker completions fish > ~/.config/fish/completions/worker.fish

Exit codes:
  0 done    2 no such shell";

/// Prints what makes a shell complete the words of `worker`; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if stdout cannot be written.
pub(crate) fn run(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "worker", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(exit_code::DONE)
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
