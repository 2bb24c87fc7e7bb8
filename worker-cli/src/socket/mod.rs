//! Where client and daemon meet: a unix socket in a folder of the user's own.

mod address;
mod folder;

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Code, Failure};
use crate::state_dir::StateArgs;

pub use self::address::SocketAddress;
pub use self::folder::PrivateFolder;

const FILE: &str = "worker.sock";

/// The places of one daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    state_dir: PathBuf,
    run_dir: PathBuf,
    is_default: bool,
}

impl Place {
    /// Those of the state folder that is asked for. The default one has its socket in the user's
    /// runtime folder, where there is one; any other keeps its own.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no state folder.
    pub fn of(state: &StateArgs) -> Result<Self, Failure> {
        let Some(state_dir) = state.folder() else {
            return Err(Failure::new(Code::Usage, "there is no home folder to keep a state in")
                .hint("name one: --state-dir DIR"));
        };
        let default = env::home_dir().map(|home| home.join(".local/state/worker"));
        let is_default = default.is_some_and(|default| default == state_dir);
        Ok(Self::new(state_dir, is_default, runtime_dir()))
    }

    fn new(state_dir: PathBuf, is_default: bool, runtime_dir: Option<PathBuf>) -> Self {
        let runtime_dir = runtime_dir.filter(|_| is_default).map(|dir| dir.join("worker"));
        let run_dir = runtime_dir.unwrap_or_else(|| state_dir.join("run"));
        Self { state_dir, run_dir, is_default }
    }

    /// What has to outlive the daemon.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Whether it is that of a user who asked for none.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// The folder of the socket.
    #[must_use]
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run_dir.join(FILE)
    }

    /// What a daemon says that nobody started by hand.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.state_dir.join("daemon.log")
    }
}

/// As the XDG Base Directory Specification says: a relative path counts for nothing.
fn runtime_dir() -> Option<PathBuf> {
    env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(is_default: bool, runtime_dir: Option<&str>) -> String {
        let place = Place::new("/state".into(), is_default, runtime_dir.map(PathBuf::from));
        place.socket().display().to_string()
    }

    #[test]
    fn the_socket_of_the_default_state_folder_is_in_the_runtime_folder() {
        assert_eq!(socket(true, Some("/run/user/1")), "/run/user/1/worker/worker.sock");
        assert_eq!(socket(true, None), "/state/run/worker.sock");
    }

    #[test]
    fn the_socket_of_a_state_folder_of_its_own_is_in_there() {
        assert_eq!(socket(false, Some("/run/user/1")), "/state/run/worker.sock");
    }
}
