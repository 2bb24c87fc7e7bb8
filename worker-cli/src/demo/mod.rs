//! `worker demo`: shows what `worker run` does, on a tree that misbehaves.

pub mod agent;
mod census;
mod narrator;

use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::Parser;
use worker_platform_unix::signal_number;

use self::narrator::Narrator;
use crate::args::{Cli, Verb};
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::journal;
use crate::plan::Plan;
use crate::run::{Ending, Observers, to_the_end};
use crate::state_dir::StateArgs;
use crate::voice::{Style, Voice};

/// The options that are shown, and used as they are shown.
const OPTIONS: &str = "--name agent --ports 1 --ready tcp --max-failures 4 --backoff 400ms";

/// Runs the verb; answers the exit code, 0 if the promises were kept.
///
/// # Errors
///
/// [`Failure`] if the show could not begin.
pub fn run() -> Result<u8, Failure> {
    census::check_possible()?;
    let mark = std::process::id().to_string();
    let plan = plan(&mark)?;
    let talk = Voice::on_stderr(Style::default()).map_err(|error| no_show(&error))?;
    let journal = journal::begin(&StateArgs::default(), &talk);
    talk.finish();
    let narrator = Stage::new(Narrator::open(mark, OPTIONS));
    let stage = narrator.clone();
    let observers = Observers {
        voice: Voice::to(Style::default(), io::sink()).map_err(|error| no_show(&error))?,
        watchers: vec![Box::new(move |notice| stage.narrator().tell(notice))],
        recorder: None,
    };
    let ending = to_the_end(plan, journal, observers).map_err(|error| no_show(&error))?;
    let is_clean = narrator.narrator().close();
    Ok(exit_code(ending, is_clean))
}

/// The narrator, who is told by the supervisor and speaks the last words after it.
#[derive(Clone)]
struct Stage(Arc<Mutex<Narrator>>);

impl Stage {
    fn new(narrator: Narrator) -> Self {
        Self(Arc::new(Mutex::new(narrator)))
    }

    fn narrator(&self) -> MutexGuard<'_, Narrator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exit_code(ending: Ending, is_clean: bool) -> u8 {
    match ending {
        Ending::Parked if is_clean => exit_code::DONE,
        Ending::Stopped { .. } if is_clean => ending.exit_code(signal_number),
        Ending::Parked
        | Ending::Stopped { .. }
        | Ending::Clean
        | Ending::Final(_)
        | Ending::SpawnFailed
        | Ending::Unkillable => exit_code::FAILED,
    }
}

fn plan(mark: &str) -> Result<Plan, Failure> {
    let this = std::env::current_exe().map_err(|error| no_show(&error))?;
    let mut words: Vec<OsString> = vec!["worker".into(), "run".into()];
    words.extend(OPTIONS.split(' ').map(Into::into));
    words.extend(["--env".into(), format!("{}={mark}", census::MARK).into()]);
    words.extend(["--".into(), this.into_os_string(), "__agent".into()]);
    let Ok(Cli { verb: Verb::Run(args), .. }) = Cli::try_parse_from(words) else {
        return Err(Failure::new(Code::Failed, "the options of the demo are not understood"));
    };
    Plan::from_args(*args)
}

fn no_show(error: &io::Error) -> Failure {
    Failure::new(Code::Failed, format!("the demo cannot begin: {error}"))
}
