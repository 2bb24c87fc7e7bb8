//! Where `worker` keeps what has to outlive it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

/// Names the folder where the option does not.
const VARIABLE: &str = "WORKER_STATE_DIR";

/// Which folder.
#[derive(Clone, Debug, Default, Args)]
pub struct StateArgs {
    /// Where the state is kept; each such folder has a daemon of its own [default:
    /// $WORKER_STATE_DIR, else $XDG_STATE_HOME/worker, else ~/.local/state/worker]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, display_order = 910)]
    pub state_dir: Option<PathBuf>,
}

impl StateArgs {
    /// The folder, absolute. None where there is neither option nor variable nor home.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        let found = folder(self.state_dir.as_deref(), |name| env::var_os(name), env::home_dir());
        std::path::absolute(found?).ok()
    }
}

/// As the XDG Base Directory Specification says: a variable that is empty counts for nothing, and so
/// does a relative `XDG_STATE_HOME`.
fn folder(
    given: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    let named = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let xdg = || named("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let home = || home.filter(|path| path.is_absolute()).map(|home| home.join(".local/state"));
    given
        .map(Path::to_owned)
        .or_else(|| named(VARIABLE))
        .or_else(|| Some(xdg().or_else(home)?.join("worker")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(given: Option<&str>, variables: &[(&str, &str)], home: Option<&str>) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let found = folder(given.map(Path::new), variable, home.map(PathBuf::from));
        found.map_or("none".to_owned(), |path| path.display().to_string())
    }

    #[test]
    fn the_option_wins_over_the_variable_which_wins_over_xdg_which_wins_over_home() {
        let mut variables = vec![("XDG_STATE_HOME", "/xdg"), ("WORKER_STATE_DIR", "/var")];
        assert_eq!(found(Some("/opt"), &variables, Some("/home/a")), "/opt");
        assert_eq!(found(None, &variables, Some("/home/a")), "/var");
        variables.pop();
        assert_eq!(found(None, &variables, Some("/home/a")), "/xdg/worker");
        assert_eq!(found(None, &[], Some("/home/a")), "/home/a/.local/state/worker");
        assert_eq!(found(None, &[], None), "none");
    }

    #[test]
    fn what_is_empty_or_relative_counts_for_nothing() {
        let variables = [("WORKER_STATE_DIR", ""), ("XDG_STATE_HOME", "state")];
        assert_eq!(found(None, &variables, Some("/home/a")), "/home/a/.local/state/worker");
        assert_eq!(found(None, &variables, Some("")), "none");
    }
}
