//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use worker_core::{OnCleanExit, RestartWhen, Signal};

use crate::colour::Colour;
use crate::duration::parse_duration;
use crate::probe::Probe;
use crate::state_dir::StateArgs;
use crate::verbs::config::ConfigArgs;
#[cfg(unix)]
use crate::verbs::{
    completions, down, env, events, logs, ports, request, reset, start, status, up, wait, why,
};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "worker",
    version,
    about = "Keeps a process tree running, leaves nothing of it behind, and tells why it ended",
    styles = Styles::plain(),
    max_term_width = 100,
    disable_help_subcommand = true,
    help_template = OVERVIEW
)]
pub struct Cli {
    /// Use colours: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        // The guardian looks at the first word that is no option.
        require_equals = true,
        hide_default_value = true,
        hide_possible_values = true,
        global = true,
        display_order = 900
    )]
    pub color: Colour,

    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs by what they are for. clap knows no groups of them.
const OVERVIEW: &str = "\
{about-with-newline}
{usage-heading} {usage}

One command in the foreground:
  run          Supervise one command, without daemon or configuration
  demo         Show it on a built-in tree that misbehaves, in a few seconds

The slots of a project, by its worker.toml:
  up           Apply worker.toml: start what is new, stop what is gone
  down         Stop the slots of a project, or everything
  start        Start slots, and wait until they are ready
  stop         Stop slots, and wait until nothing of them is left
  restart      Stop slots, then start them
  reset        Re-arm slots that failed too often
  touch        Mark slots as used

What they do:
  status       How slots are (also: ps)
  logs         What they write
  why          Why a slot's latest runs ended, and what happens next
  events       What happened, and what happens
  wait         Wait until a slot is ready, has exited or is stopped
  env          The exact environment of a slot
  ports        Who holds which port

Around it:
  config       Check and show the configuration
  doctor       Whether the promises can be kept on this machine, and by what
  daemon       What keeps the slots running; the verbs start it by themselves
  completions  What makes a shell complete these words

Options:
{options}

`worker VERB --help` has examples and exit codes.
";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Supervise one command in the foreground
    #[command(after_long_help = RUN_EXAMPLES, after_help = RUN_MORE)]
    Run(Box<RunArgs>),

    /// Apply worker.toml: start what is new, stop what is gone, restart what is different
    #[cfg(unix)]
    #[command(after_help = up::HELP)]
    Up(up::UpArgs),

    /// Stop the slots of a project, or everything and the daemon
    #[cfg(unix)]
    #[command(after_help = down::HELP)]
    Down(down::DownArgs),

    /// Start slots, and wait until they are ready
    #[cfg(unix)]
    #[command(after_help = start::START_HELP)]
    Start(start::ChangeArgs),

    /// Stop slots, and wait until nothing of them is left
    #[cfg(unix)]
    #[command(after_help = start::STOP_HELP)]
    Stop(start::ChangeArgs),

    /// Stop slots, then start them
    #[cfg(unix)]
    #[command(after_help = start::RESTART_HELP)]
    Restart(start::ChangeArgs),

    /// Re-arm slots that failed too often
    #[cfg(unix)]
    #[command(after_help = reset::RESET_HELP)]
    Reset(request::SlotsArgs),

    /// Mark slots as used
    #[cfg(unix)]
    #[command(after_help = reset::TOUCH_HELP)]
    Touch(request::SlotsArgs),

    /// Show how slots are
    #[cfg(unix)]
    #[command(visible_alias = "ps", after_help = status::HELP)]
    Status(status::StatusArgs),

    /// Show what slots write
    #[cfg(unix)]
    #[command(after_help = logs::HELP)]
    Logs(logs::LogsArgs),

    /// Tell why a slot's latest runs ended, and what happens next
    #[cfg(unix)]
    #[command(after_help = why::HELP)]
    Why(why::WhyArgs),

    /// Show what happened, and what happens
    #[cfg(unix)]
    #[command(after_help = events::HELP)]
    Events(events::EventsArgs),

    /// Wait until a slot is ready, has exited or is stopped
    #[cfg(unix)]
    #[command(after_help = wait::HELP)]
    Wait(wait::WaitArgs),

    /// Show the exact environment of a slot
    #[cfg(unix)]
    #[command(after_help = env::HELP)]
    Env(request::SlotArgs),

    /// Show who holds which port
    #[cfg(unix)]
    #[command(after_help = ports::HELP)]
    Ports(request::Answer),

    /// Check and show the configuration
    Config(ConfigArgs),

    /// Say whether its promises can be kept on this machine, and by what
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArgs),

    /// Show it on a built-in tree that misbehaves, in a few seconds
    Demo,

    /// Keep slots running in the background; other verbs start it when they need it
    #[command(after_help = DAEMON_EXAMPLES)]
    Daemon(Box<DaemonArgs>),

    /// Print what makes a shell complete the words of the command line
    #[cfg(unix)]
    #[command(after_help = completions::HELP)]
    Completions(completions::CompletionsArgs),

    /// Write the manual pages
    #[cfg(unix)]
    #[command(name = "__manuals", hide = true)]
    Manuals(completions::ManualsArgs),

    /// The tree that misbehaves
    #[command(name = "__agent", hide = true)]
    Agent {
        /// Which of its processes
        #[arg(value_enum, default_value_t)]
        role: Role,
    },
}

const RUN_MORE: &str = "See `worker run --help` for details, examples and exit codes.";

const RUN_EXAMPLES: &str = "\
Examples:
  worker run -- node server.js
  worker run --ports 1 --ready http=/health -- sh -c 'exec vite --port $PORT'
  worker run --dir api --env-file .env --ready log='Running on' -- flask run
  worker run --restart never --on-clean-exit reap -- make test

Signals:
  SIGTERM, SIGINT (Ctrl-C) and SIGHUP stop the command and everything it
  started; a second one ends the grace at once. SIGUSR1, SIGUSR2, SIGQUIT and
  SIGWINCH are passed on. Ctrl-Z pauses the whole tree, and `fg` resumes it.

Standard streams:
  The command writes to the stdout and stderr of `worker` directly. A pipe or
  file on stdin is passed on; a terminal is replaced by /dev/null, since the
  command does not run in the terminal's foreground.

Exit codes:
  0 the command ended cleanly       2 the command line cannot be meant
  1 it could not be started, or     5 the circuit breaker tripped
    its processes cannot be ended   8 a file or folder is missing or bad
  After a stop, or with --restart never: the command's own exit code, or
  128 + the number of the signal that ended it.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  worker doctor
  worker doctor --json | jq .problems

Nothing is changed: what killed supervisors left behind is shown, and ended by
the next start.

Exit codes:
  0 the promises can be kept    1 something makes one of them impossible";

const DAEMON_EXAMPLES: &str = "\
Examples:
  worker daemon                    in the foreground, as service managers want it
  worker daemon install            as a service that starts at login
  worker daemon install --print    show that service only

Signals:
  SIGTERM, SIGINT (Ctrl-C) and SIGHUP stop all slots, which the next daemon
  starts again; a second one ends their grace at once.

Exit codes:
  0 it was ended      1 another daemon runs, or it cannot set itself up";

/// The options of `worker daemon`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DaemonArgs {
    /// What else there is to do.
    #[command(subcommand)]
    pub action: Option<DaemonAction>,

    /// The state folder.
    #[command(flatten)]
    pub state: StateArgs,

    /// Whether processes get a cgroup of their own, as for `worker run`
    ///
    /// The default is $WORKER_CGROUP, else auto.
    #[arg(long, value_name = "HOW", value_enum)]
    pub cgroup: Option<Cgroup>,

    /// Say only what went wrong
    #[arg(long, short)]
    pub quiet: bool,

    /// Write the messages of `worker` itself as JSON Lines
    #[arg(long)]
    pub json: bool,

    /// Started by a verb, which reads on stdout whether it listens
    #[arg(long, hide = true)]
    pub detached: bool,
}

/// What else there is to do about the daemon.
#[derive(Debug, Subcommand)]
pub enum DaemonAction {
    /// Write a service that starts the daemon at login; it is not started
    Install(InstallArgs),
}

/// The options of `worker daemon install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The state folder.
    #[command(flatten)]
    pub state: StateArgs,

    /// Print the service only
    #[arg(long)]
    pub print: bool,
}

/// The options of `worker doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The state folder.
    #[command(flatten)]
    pub state: StateArgs,

    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `worker run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The name in messages and events [default: the program's name]
    #[arg(long, value_name = "NAME", value_parser = parse_name, help_heading = COMMAND)]
    pub name: Option<String>,

    /// The folder to run in [default: the current one]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = COMMAND)]
    pub dir: Option<PathBuf>,

    /// Set an environment variable; can be repeated
    #[arg(long, value_name = "K=V", value_parser = parse_variable, help_heading = COMMAND)]
    pub env: Vec<(String, String)>,

    /// Read environment variables from a file of KEY=VALUE lines; --env wins
    #[arg(long, value_name = "FILE", help_heading = COMMAND)]
    pub env_file: Vec<PathBuf>,

    /// Give each run a block of N free ports, as $PORT, $PORT_1 and so on
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = parse_port_count,
        help_heading = COMMAND
    )]
    pub ports: Option<u16>,

    /// Where the blocks are taken from
    #[arg(
        long,
        value_name = "FIRST-LAST",
        default_value = "21000-24999",
        value_parser = parse_port_range,
        help_heading = COMMAND
    )]
    pub port_range: PortRange,

    /// How to see that the command is ready to be used
    ///
    /// http=/PATH  a GET is answered with a status of 2xx or 3xx
    /// tcp         its port is listened on
    /// log=REGEX   a line of its output matches; the output is a pipe then
    /// exec=CMD    CMD exits with 0; its words are split, no shell runs
    /// notify      it sends READY=1 to $NOTIFY_SOCKET, as for systemd
    /// none        as soon as it is spawned
    ///
    /// http and tcp look at $PORT, or where they are told to look:
    /// http=:3000/PATH, tcp=3000. Only the command's own processes count.
    #[arg(
        long,
        value_name = "PROBE",
        default_value = "none",
        value_parser = parse_ready,
        verbatim_doc_comment,
        help_heading = READINESS
    )]
    pub ready: ReadyArg,

    /// How long it may take to be ready; longer is a failure
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_duration,
        help_heading = READINESS
    )]
    pub ready_timeout: Duration,

    /// Which ends are followed by a restart
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, help_heading = RESTARTS)]
    pub restart: When,

    /// Give up after so many failures in a row
    #[arg(
        long,
        value_name = "N",
        default_value = "8",
        allow_negative_numbers = true,
        value_parser = parse_max_failures,
        help_heading = RESTARTS
    )]
    pub max_failures: u32,

    /// Failures further apart than this are not in a row
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5m",
        value_parser = parse_duration,
        help_heading = RESTARTS
    )]
    pub window: Duration,

    /// Being ready for so long forgets the failures before
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = parse_duration,
        help_heading = RESTARTS
    )]
    pub healthy_after: Duration,

    /// The delay before the first restart; doubles with each failure
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = parse_duration,
        help_heading = RESTARTS
    )]
    pub backoff: Duration,

    /// No delay is longer than this
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = parse_duration,
        help_heading = RESTARTS
    )]
    pub backoff_max: Duration,

    /// The signal that asks the processes to end
    #[arg(
        long,
        value_name = "SIGNAL",
        default_value = "SIGTERM",
        value_parser = parse_stop_signal,
        help_heading = STOPPING
    )]
    pub stop_signal: Signal,

    /// How long the processes have to end before SIGKILL
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        value_parser = parse_duration,
        help_heading = STOPPING
    )]
    pub stop_grace: Duration,

    /// What becomes of processes that are left when the command ends cleanly
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, help_heading = STOPPING)]
    pub on_clean_exit: Leftovers,

    /// Whether the processes get a cgroup of their own, which none can leave by accident (Linux)
    ///
    /// auto   where one can be made: as root, or in a cgroup that was handed
    ///        over to this user; else they are kept hold of without
    /// never  it is not even tried
    /// scope  a new scope is asked of systemd first, where an ordinary user
    ///        may make cgroups, too
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        verbatim_doc_comment,
        help_heading = STOPPING
    )]
    pub cgroup: Cgroup,

    /// The state folder.
    #[command(flatten)]
    pub state: StateArgs,

    /// Append what happens to a file as JSON Lines; `-` is stderr
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub events: Option<PathBuf>,

    /// Say only what went wrong
    #[arg(long, short, help_heading = OUTPUT)]
    pub quiet: bool,

    /// Write the messages of `worker` itself as JSON Lines
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,

    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD", value_hint = ValueHint::AnyPath)]
    pub command: Vec<OsString>,
}

const COMMAND: &str = "Command";
const READINESS: &str = "Readiness";
const RESTARTS: &str = "Restarts";
const STOPPING: &str = "Stopping";
const OUTPUT: &str = "Output";

/// `--ready`.
#[derive(Clone, Debug)]
pub enum ReadyArg {
    /// Ready as soon as it is spawned.
    None,
    /// Ready when the probe says so.
    When(Probe),
}

/// `--restart`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum When {
    /// Every end but a clean one
    #[default]
    OnFailure,
    /// No end; the first one is passed on
    Never,
    /// Every end; a clean one counts as a failure
    Always,
}

/// `--on-clean-exit`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Leftovers {
    /// They live on
    #[default]
    Leave,
    /// They get SIGKILL
    Reap,
}

/// `--cgroup`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Cgroup {
    /// Where one can be made
    #[default]
    Auto,
    /// Not at all
    Never,
    /// In a scope of systemd's
    Scope,
}

/// `--port-range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, which is not below the first.
    pub last: u16,
}

/// The processes of the tree that the demo is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Starts the others, takes its port and memory, and is killed.
    #[default]
    Agent,
    /// Stays in the group.
    Child,
    /// Leaves the session.
    Escapee,
    /// Starts the daemon and ends, so that it has no parent.
    Daemonizer,
    /// Has left the session and has no parent.
    Daemon,
}

impl PortRange {
    /// How many ports there are.
    #[must_use]
    pub const fn count(self) -> usize {
        self.last as usize - self.first as usize + 1
    }
}

impl From<When> for RestartWhen {
    fn from(when: When) -> Self {
        match when {
            When::OnFailure => Self::OnFailure,
            When::Never => Self::Never,
            When::Always => Self::Always,
        }
    }
}

impl From<Leftovers> for OnCleanExit {
    fn from(leftovers: Leftovers) -> Self {
        match leftovers {
            Leftovers::Leave => Self::Leave,
            Leftovers::Reap => Self::Reap,
        }
    }
}

fn parse_name(text: &str) -> Result<String, String> {
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/' | ':');
    if text.is_empty() || !text.chars().all(is_fit) {
        return Err("a name holds letters, digits and the signs - _ . @ / : only".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as LOG=debug".to_owned()),
    }
}

fn parse_ready(text: &str) -> Result<ReadyArg, String> {
    match text {
        "none" => Ok(ReadyArg::None),
        _ => Probe::parse(text).map(ReadyArg::When),
    }
}

fn parse_port_count(text: &str) -> Result<u16, String> {
    let count = text.parse::<u16>().ok().filter(|count| (1..=4000).contains(count));
    count.ok_or_else(|| "give a whole number from 1 to 4000".to_owned())
}

fn parse_port_range(text: &str) -> Result<PortRange, String> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let range = text.split_once('-').and_then(|(first, last)| Some((port(first)?, port(last)?)));
    match range {
        Some((first, last)) if first <= last => Ok(PortRange { first, last }),
        _ => Err("give the first and the last port, such as 21000-24999".to_owned()),
    }
}

fn parse_max_failures(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(0) => Err("a command that may not fail once could never run: give 1 or more, \
                      or use --restart never"
            .to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("give a whole number of 1 or more".to_owned()),
    }
}

pub(crate) fn parse_stop_signal(text: &str) -> Result<Signal, String> {
    match Signal::from_name(text) {
        Some(Signal::Stop | Signal::Tstp | Signal::Ttin | Signal::Ttou | Signal::Cont) => {
            Err("this signal pauses or resumes processes and ends none: use SIGTERM or SIGINT"
                .to_owned())
        }
        Some(signal) => Ok(signal),
        None => Err("give a signal by its name, such as SIGTERM, SIGINT or QUIT".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_overview_has_each_verb_once() {
        let verbs = Cli::command();
        for verb in verbs.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let line = format!("\n  {:<12} ", verb.get_name());
            assert_eq!(OVERVIEW.matches(&line).count(), 1, "{}", verb.get_name());
        }
        let shown = OVERVIEW.lines().filter(|line| line.starts_with("  "));
        let known = verbs.get_subcommands().filter(|verb| !verb.is_hide_set());
        assert_eq!(shown.count(), known.count());
    }

    #[test]
    fn ports_are_counted_from_1_to_the_size_of_the_default_range() {
        assert_eq!(parse_port_count("2"), Ok(2));
        for text in ["0", "4001", "-1", "two", ""] {
            assert!(parse_port_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn how_many_lines_and_deaths_is_a_whole_number() {
        for (verb, text) in [("logs", "-1"), ("logs", "all"), ("why", "-1")] {
            let parsed = Cli::try_parse_from(["worker", verb, "api", "-n", text]);
            let error = parsed.unwrap_err().to_string();
            assert!(error.contains("give a whole number"), "{error}");
        }
    }

    #[test]
    fn a_port_range_has_a_first_and_a_last_port_in_this_order() {
        assert_eq!(parse_port_range("1-65535"), Ok(PortRange { first: 1, last: 65_535 }));
        assert_eq!(parse_port_range("80-80").map(PortRange::count), Ok(1));
        for text in ["0-1", "2-1", "1-65536", "1", "1-", "-1", "a-b"] {
            assert!(parse_port_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stop_signal_is_one_that_can_end_a_process() {
        assert_eq!(parse_stop_signal("TERM"), Ok(Signal::Term));
        assert_eq!(parse_stop_signal("sigwinch"), Ok(Signal::Winch), "httpd ends by it");
        for text in ["SIGSTOP", "CONT", "15", "SIGFOO"] {
            assert!(parse_stop_signal(text).is_err(), "{text}");
        }
    }
}
