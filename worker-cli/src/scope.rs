//! `--cgroup scope`: a cgroup of our own from systemd, where an ordinary user may make others in it.
//!
//! A login shell is in a cgroup of root's. The systemd manager of the user hands one over in which
//! the user may do as it likes (`Delegate=yes`), as a *scope* around a process. `systemd-run` enters
//! the scope and then executes this program anew: terminal, job and process id stay the same. That
//! comes before there is a guardian, so that it is in the scope, too.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;

use crate::args::{Cgroup, Cli, Verb};
use crate::error::{Code, Failure};

/// Tells the process that was executed anew, by its id, that it is in the scope. Not for the
/// processes of slots.
pub const VARIABLE: &str = "WORKER_SCOPE";

/// Where the words of the command line ask for a scope, and this process has none yet, does not
/// return, unless that fails.
///
/// # Errors
///
/// [`Failure`] says what is missing.
pub fn enter_if_asked(words: &[OsString]) -> Result<(), Failure> {
    if is_entered() || !asks_for_scope(words) {
        return Ok(());
    }
    let surroundings = Surroundings::of_this_process();
    surroundings.check()?;
    let this = std::env::current_exe().map_err(|error| not_entered(&error.to_string()))?;
    let error = Command::new("systemd-run")
        .args(arguments(surroundings.manager, this, words))
        .env(VARIABLE, std::process::id().to_string())
        .exec();
    Err(not_entered(&format!("systemd-run: {error}")))
}

fn is_entered() -> bool {
    std::env::var(VARIABLE).is_ok_and(|pid| pid == std::process::id().to_string())
}

/// What cannot be parsed is reported later, in its place. Nothing is parsed without need: this process
/// may become a guardian, which would keep the memory for that.
fn asks_for_scope(words: &[OsString]) -> bool {
    let mut options = words.iter().take_while(|word| *word != "--");
    let may_ask = options.any(|word| word == "scope" || word == "--cgroup=scope");
    may_ask
        && Cli::try_parse_from(words).is_ok_and(|cli| cgroup_of(&cli.verb) == Some(Cgroup::Scope))
}

/// What a verb that supervises was told about cgroups.
fn cgroup_of(verb: &Verb) -> Option<Cgroup> {
    if let Verb::Run(args) = verb {
        return Some(args.cgroup);
    }
    if let Verb::Daemon(args) = verb { args.cgroup } else { None }
}

/// Whose systemd is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    System,
    User,
}

/// What has to be there.
#[derive(Clone, Copy, Debug)]
struct Surroundings {
    manager: Manager,
    /// systemd runs this system; see sd_booted(3).
    is_booted: bool,
    /// The manager of this user can be reached.
    has_user_bus: bool,
}

impl Surroundings {
    fn of_this_process() -> Self {
        let bus =
            std::env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("bus"));
        let is_root = rustix::process::geteuid().is_root();
        Self {
            manager: if is_root { Manager::System } else { Manager::User },
            is_booted: Path::new("/run/systemd/system").is_dir(),
            has_user_bus: std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
                || bus.is_some_and(|bus| bus.exists()),
        }
    }

    fn check(self) -> Result<(), Failure> {
        if !self.is_booted {
            return Err(not_entered("systemd does not run this system"));
        }
        if self.manager == Manager::User && !self.has_user_bus {
            let hint = "log in as this user, which su and sudo do not, or use --cgroup auto";
            return Err(
                not_entered("the systemd manager of this user cannot be reached").hint(hint)
            );
        }
        Ok(())
    }
}

fn not_entered(why: &str) -> Failure {
    Failure::new(Code::Failed, format!("--cgroup scope asks systemd for a cgroup: {why}"))
        .hint("use --cgroup auto, which takes a cgroup where one can be made and goes without else")
}

/// Of `systemd-run`: the same words again, in a scope that is gone with its last process.
fn arguments(manager: Manager, this: PathBuf, words: &[OsString]) -> Vec<OsString> {
    let user = (manager == Manager::User).then_some("--user");
    let options = ["--scope", "--collect", "--quiet", "--property=Delegate=yes", "--"];
    let options = user.into_iter().chain(options).map(OsString::from);
    options.chain([this.into_os_string()]).chain(words.iter().skip(1).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn only_a_run_that_asks_for_it_gets_a_scope() {
        for line in ["worker run --cgroup scope -- a", "worker run --quiet --cgroup=scope -- a"] {
            assert!(asks_for_scope(&words(line)), "{line}");
        }
        for line in [
            "worker run -- a --cgroup scope",
            "worker run --cgroup auto -- a",
            "worker run --cgroup never -- a",
            "worker run --cgroup scope",
            "worker run --cgroup scope --no-such-option -- a",
            "worker demo --cgroup scope",
        ] {
            assert!(!asks_for_scope(&words(line)), "{line}");
        }
    }

    #[test]
    fn systemd_is_asked_for_a_delegated_scope_around_the_same_words() {
        let line = words("worker run --cgroup scope -- a --b");
        let asked = arguments(Manager::User, "/bin/worker".into(), &line);
        let expected = "--user --scope --collect --quiet --property=Delegate=yes -- /bin/worker run \
                        --cgroup scope -- a --b";
        assert_eq!(asked, words(expected));
        let asked = arguments(Manager::System, "/bin/worker".into(), &line);
        assert_eq!(asked[0], "--scope", "root has no need of a manager of its own");
    }

    #[test]
    fn what_is_missing_is_named() {
        let all = Surroundings { manager: Manager::User, is_booted: true, has_user_bus: true };
        assert!(all.check().is_ok());
        assert!(
            Surroundings { manager: Manager::System, has_user_bus: false, ..all }.check().is_ok()
        );
        let failure = Surroundings { is_booted: false, ..all }.check().unwrap_err();
        assert!(failure.message.contains("systemd does not run"), "{failure}");
        let failure = Surroundings { has_user_bus: false, ..all }.check().unwrap_err();
        assert!(failure.message.contains("cannot be reached"), "{failure}");
    }
}
