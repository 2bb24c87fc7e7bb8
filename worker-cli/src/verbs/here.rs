//! The project that a verb is called in.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use crate::config::{self, Config, Name};
use crate::environment;
use crate::error::{Code, Failure};
use crate::verbs::screen::note;

/// The nearest `worker.toml`.
#[derive(Debug)]
pub(super) enum Here {
    /// There is none.
    Nowhere,
    /// It is a good one.
    Project(Project),
    /// It cannot be used.
    Broken(Failure),
}

/// A project and where its configuration lies.
#[derive(Debug)]
pub(super) struct Project {
    /// Its `worker.toml`, absolute.
    pub(super) file: PathBuf,
    /// What is in it.
    pub(super) config: Config,
}

impl Here {
    /// From the current folder upwards.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the current folder is gone.
    pub(super) fn look() -> Result<Self, Failure> {
        let Ok(file) = config::find(&folder()?) else { return Ok(Self::Nowhere) };
        Ok(match config::load(&file) {
            Ok(config) => Self::Project(Project { file, config }),
            Err(failure) => Self::Broken(failure),
        })
    }

    /// The project, if there is a good one.
    pub(super) fn project(&self) -> Option<&Project> {
        match self {
            Self::Project(project) => Some(project),
            Self::Nowhere | Self::Broken(_) => None,
        }
    }
}

impl Project {
    /// The one that a verb is called in.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is none, or all that is wrong with it.
    pub(super) fn nearest() -> Result<Self, Failure> {
        let file = config::find(&folder()?)?;
        let config = config::load(&file)?;
        Ok(Self { file, config })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.config.project.as_str()
    }
}

/// The name of the project that a verb is called in, where that is all that counts; none outside of
/// any.
///
/// # Errors
///
/// [`Failure`] if the current folder is gone.
pub(super) fn project() -> Result<Option<Name>, Failure> {
    Ok(config::find(&folder()?).ok().and_then(|file| config::project_of(&file)))
}

fn folder() -> Result<PathBuf, Failure> {
    env::current_dir().map_err(|error| {
        Failure::new(Code::BadConfig, format!("the current folder cannot be used: {error}"))
            .hint("change to a folder that exists")
    })
}

/// The environment that slots build on. What JSON cannot hold is left out, which is said.
pub(super) fn environment(json: bool) -> BTreeMap<String, String> {
    let (variables, left_out) = environment::of_this_process();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        note(&format!("not UTF-8, so the slots do not get them: {names}"), json);
    }
    variables
}
