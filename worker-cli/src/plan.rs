//! What `worker run` is asked to do, checked and complete.

use std::env;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use worker_core::{
    PortRequest, ReadyOptions, RestartOptions, SlotOptions, Spec, SpecError, StopOptions,
};

use crate::args::{Cgroup, ReadyArg, RunArgs};
use crate::duration::exact;
use crate::env_file::{EnvFileError, read_env_file};
use crate::error::{Code, Failure};
use crate::guardian;
use crate::probe::Probe;
use crate::scope;

/// One command and how to look after it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name in messages and events.
    pub name: String,
    /// The program as it was given.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The folder to run in, absolute.
    pub dir: PathBuf,
    /// The environment, but for what differs from run to run.
    pub env: Vec<(OsString, OsString)>,
    /// The policies.
    pub spec: Spec,
    /// How to see that it is ready; none if it is so as soon as it is spawned.
    pub probe: Option<Probe>,
    /// Where the ports are taken from.
    pub port_range: RangeInclusive<u16>,
    /// Whether runs get cgroups.
    pub cgroup: Cgroup,
}

impl Plan {
    /// Checks the options and reads the files that they name.
    ///
    /// # Errors
    ///
    /// [`Failure`] names the option, shows the value and says what would do.
    pub fn from_args(args: RunArgs) -> Result<Self, Failure> {
        let spec = spec(&args)?;
        check_probe(&args)?;
        let dir = folder(args.dir.as_deref())?;
        let env = environment(&args.env_file, &args.env)?;
        let mut command = args.command.into_iter();
        let program = command.next().unwrap_or_default();
        Ok(Self {
            name: args.name.unwrap_or_else(|| default_name(&program)),
            program,
            args: command.collect(),
            dir,
            env,
            spec,
            probe: match args.ready {
                ReadyArg::None => None,
                ReadyArg::When(probe) => Some(probe),
            },
            port_range: args.port_range.first..=args.port_range.last,
            cgroup: args.cgroup,
        })
    }
}

fn spec(args: &RunArgs) -> Result<Spec, Failure> {
    let ready = match args.ready {
        ReadyArg::None => None,
        ReadyArg::When(_) => {
            Some(ReadyOptions { timeout: args.ready_timeout, ..ReadyOptions::default() })
        }
    };
    let options = SlotOptions {
        ports: args.ports.map_or(PortRequest::None, PortRequest::Auto),
        ready,
        stop: StopOptions { signal: args.stop_signal, grace: args.stop_grace },
        restart: RestartOptions {
            when: args.restart.into(),
            max_failures: args.max_failures,
            window: args.window,
            healthy_after: args.healthy_after,
            backoff: args.backoff,
            backoff_max: args.backoff_max,
        },
        on_clean_exit: args.on_clean_exit.into(),
        ..SlotOptions::default()
    };
    options.build().map_err(in_words_of_the_options)
}

fn in_words_of_the_options(error: SpecError) -> Failure {
    match error {
        SpecError::BackoffOverMax { backoff, backoff_max } => usage(
            format!(
                "--backoff {} is longer than --backoff-max {}",
                exact(backoff),
                exact(backoff_max)
            ),
            "make --backoff-max at least as long as --backoff",
        ),
        SpecError::WindowTooShort { window, needed } => usage(
            format!(
                "--window {} is shorter than the time that can lie between two failures ({}), so \
                 the circuit breaker could never trip",
                exact(window),
                exact(needed)
            ),
            format!("make --window at least {}, or the delays shorter", exact(needed)),
        ),
        SpecError::BackoffZero => usage(
            "--backoff 0s would try a program that cannot start without a pause",
            "use 1ms or more",
        ),
        SpecError::ReadyTimeoutZero => usage(
            "--ready-timeout 0s leaves no time to become ready",
            "give it some time, such as 30s, or use --ready none",
        ),
        SpecError::MaxFailuresZero | SpecError::AliveFailuresZero => {
            Failure::new(Code::Usage, error.to_string())
        }
    }
}

fn check_probe(args: &RunArgs) -> Result<(), Failure> {
    match &args.ready {
        ReadyArg::When(probe) if probe.needs_block() && args.ports.is_none() => Err(usage(
            "--ready http and tcp look at $PORT, and the command has no ports",
            "add --ports 1, or name the port: --ready http=:3000/health, --ready tcp=3000",
        )),
        ReadyArg::When(_) | ReadyArg::None => Ok(()),
    }
}

fn folder(dir: Option<&Path>) -> Result<PathBuf, Failure> {
    let here = || {
        env::current_dir().map_err(|error| {
            Failure::new(Code::BadConfig, format!("the current folder cannot be used: {error}"))
                .hint("change to a folder that exists, or give one with --dir")
        })
    };
    let Some(dir) = dir else { return here() };
    let bad = |why: &str| {
        Failure::new(Code::BadConfig, format!("--dir {}: {why}", dir.display()))
            .hint("give a folder that exists, or create it first")
    };
    match dir.metadata() {
        Ok(found) if found.is_dir() => {
            std::path::absolute(dir).map_err(|error| bad(&error.to_string()))
        }
        Ok(_) => Err(bad("this is not a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(bad("no such folder")),
        Err(error) => Err(bad(&error.to_string())),
    }
}

/// Our own environment, then the files, then the variables of the command line; the later ones win.
fn environment(
    files: &[PathBuf],
    variables: &[(String, String)],
) -> Result<Vec<(OsString, OsString)>, Failure> {
    let mut all = Environment::of(env::vars_os().collect());
    for file in files {
        all.extend(read_env_file(file).map_err(bad_env_file)?);
    }
    all.extend(variables.iter().cloned());
    Ok(all.into_variables())
}

/// Environment variables, each name once, in order.
#[derive(Clone, Debug)]
pub(crate) struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// That of a process, as a child of ours may have it.
    pub(crate) fn of(mut process: Vec<(OsString, OsString)>) -> Self {
        // They are ours; a child that used them would speak in our name.
        let ours = ["NOTIFY_SOCKET", guardian::VARIABLE, scope::VARIABLE];
        process.retain(|(name, _)| ours.iter().all(|our| name != our));
        Self(process)
    }

    /// Sets variables. They win over those that are there.
    pub(crate) fn extend(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            self.set(name.into(), value.into());
        }
    }

    pub(crate) fn into_variables(self) -> Vec<(OsString, OsString)> {
        self.0
    }

    fn set(&mut self, name: OsString, value: OsString) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

fn bad_env_file(error: EnvFileError) -> Failure {
    let hint = match &error {
        EnvFileError::Unreadable { .. } => "give a file that exists and can be read",
        EnvFileError::BadLine { .. } => "mend this line; nothing was started",
    };
    Failure::new(Code::BadConfig, format!("--env-file: {error}")).hint(hint)
}

fn default_name(program: &OsStr) -> String {
    let name = Path::new(program).file_name().unwrap_or(program);
    name.to_string_lossy().into_owned()
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Code::Usage, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Verb};

    fn plan(options: &[&str]) -> Result<Plan, Failure> {
        let words = ["worker", "run"].iter().chain(options).chain(&["--", "/bin/true", "-x"]);
        let Verb::Run(args) = Cli::try_parse_from(words).unwrap().verb else { unreachable!() };
        Plan::from_args(*args)
    }

    fn check_refused(options: &[&str], code: Code, words: &[&str]) {
        let refused = plan(options).unwrap_err();
        assert_eq!(refused.code, code);
        for word in words {
            assert!(refused.to_string().contains(word), "{word} is not in: {refused}");
        }
    }

    #[test]
    fn without_options_the_defaults_of_the_core_hold() {
        let plan = plan(&[]).unwrap();
        assert_eq!(plan.spec, Spec::default());
        assert_eq!(plan.name, "true");
        assert_eq!(plan.program, "/bin/true");
        assert_eq!(plan.args, ["-x"]);
        assert_eq!(plan.dir, env::current_dir().unwrap());
        assert!(plan.probe.is_none());
    }

    #[test]
    fn options_that_contradict_each_other_are_named_with_their_values() {
        let backoff = &["--backoff", "2m", "--backoff-max", "1m"];
        check_refused(backoff, Code::Usage, &["--backoff 2m", "--backoff-max 1m"]);
        check_refused(&["--backoff", "0s"], Code::Usage, &["--backoff 0s", "1ms"]);
        check_refused(&["--window", "1s"], Code::Usage, &["--window 1s", "at least 1m"]);
        let ready = &["--ports", "1", "--ready", "tcp", "--ready-timeout", "0s"];
        check_refused(ready, Code::Usage, &["--ready-timeout 0s"]);
        check_refused(&["--ready", "tcp"], Code::Usage, &["--ports 1"]);
    }

    #[test]
    fn a_folder_that_is_none_is_refused() {
        check_refused(
            &["--dir", "/no/such"],
            Code::BadConfig,
            &["--dir /no/such", "no such folder"],
        );
        check_refused(&["--dir", "/bin/true"], Code::BadConfig, &["not a folder"]);
        assert_eq!(plan(&["--dir", "/"]).unwrap().dir, Path::new("/"));
    }

    #[test]
    fn the_command_line_wins_over_the_file_which_wins_over_our_own_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, "PATH=/file\nA=file\nB=file\n").unwrap();
        let plan = plan(&["--env-file", file.to_str().unwrap(), "--env", "A=x"]).unwrap();
        let value = |name: &str| {
            let found: Vec<_> = plan.env.iter().filter(|(known, _)| known == name).collect();
            assert_eq!(found.len(), 1, "{name}");
            found[0].1.clone()
        };
        assert_eq!(value("PATH"), "/file");
        assert_eq!(value("A"), "x");
        assert_eq!(value("B"), "file");
    }

    #[test]
    fn an_env_file_that_cannot_be_used_is_named() {
        check_refused(&["--env-file", "/no/.env"], Code::BadConfig, &["/no/.env", "cannot read"]);
    }
}
