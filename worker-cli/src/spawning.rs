//! What runs and their helpers execute, in the platform's terms.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use worker_core::{Block, SpawnError, SpawnFailure};
use worker_platform_unix::{Command, Input, Output, resolve_program};

use crate::ready::Means;

/// Environment variables.
pub(crate) type Variables = Vec<(OsString, OsString)>;

/// What each run finds in its environment, beside what its slot gives it.
#[derive(Clone, Copy)]
pub(crate) struct Own<'a> {
    /// The slot by its name.
    pub(crate) slot: &'a str,
    /// The run, counted within the slot.
    pub(crate) number: u64,
    /// Its ports.
    pub(crate) block: Option<Block>,
    /// How it says that it is ready.
    pub(crate) means: &'a Means,
}

impl Own<'_> {
    /// `base`, with what is the run's own in place of what has the same name.
    pub(crate) fn over(self, mut base: Variables) -> Variables {
        let own = self.variables();
        base.retain(|(name, _)| own.iter().all(|(own, _)| name != own.as_str()));
        base.extend(own.into_iter().map(|(name, value)| (name.into(), value.into())));
        base
    }

    fn variables(self) -> Vec<(String, String)> {
        let mut own = vec![
            ("WORKER_SLOT".to_owned(), self.slot.to_owned()),
            ("WORKER_RUN".to_owned(), self.number.to_string()),
        ];
        own.extend(port_variables(self.block));
        if let Means::Notify(socket) = self.means {
            own.push(("NOTIFY_SOCKET".to_owned(), socket.address().to_owned()));
        }
        own
    }
}

/// `PORT`, `PORT_1`, `PORT_2` …
fn port_variables(block: Option<Block>) -> Vec<(String, String)> {
    let ports = block.map(Block::ports).into_iter().flatten();
    let name = |index| if index == 0 { "PORT".to_owned() } else { format!("PORT_{index}") };
    ports.enumerate().map(|(index, port)| (name(index), port.to_string())).collect()
}

/// A command of these words, the first of which is looked up in the `PATH` of `env`; silent, and
/// without input.
pub(crate) fn command(
    words: impl IntoIterator<Item = OsString>,
    dir: &Path,
    env: Variables,
) -> Result<Command, SpawnError> {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    Ok(Command {
        program: resolve_program(&name, dir, path(&env))?,
        args: words.collect(),
        env,
        dir: dir.to_owned(),
        task_limit: None,
        stdin: Input::Null,
        stdout: Output::Null,
        stderr: Output::Null,
    })
}

fn path(env: &[(OsString, OsString)]) -> Option<&OsStr> {
    env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str())
}

/// There is no way to hear that the run is ready.
pub(crate) fn no_means(error: &std::io::Error) -> SpawnError {
    SpawnError {
        failure: SpawnFailure::NoResources,
        message: format!("the readiness probe cannot be prepared: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_port_is_port_and_the_others_are_numbered() {
        let variables = port_variables(Block::new(21_000, 3));
        let expected = [("PORT", "21000"), ("PORT_1", "21001"), ("PORT_2", "21002")];
        assert_eq!(variables, expected.map(|(name, port)| (name.to_owned(), port.to_owned())));
        assert!(port_variables(None).is_empty());
    }

    #[test]
    fn what_is_the_runs_own_takes_the_place_of_what_it_inherits() {
        let base = [("PORT", "1"), ("WORKER_RUN", "9"), ("PORT_7", "kept")];
        let base = base.map(|(name, value)| (name.into(), value.into())).to_vec();
        let block = Block::new(21_000, 1);
        let own = Own { slot: "shop/api", number: 3, block, means: &Means::None };
        let expected = [
            ("PORT_7", "kept"),
            ("WORKER_SLOT", "shop/api"),
            ("WORKER_RUN", "3"),
            ("PORT", "21000"),
        ];
        assert_eq!(own.over(base), expected.map(|(name, value)| (name.into(), value.into())));
    }
}
