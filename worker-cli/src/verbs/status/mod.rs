//! `worker status`: how slots are. It never starts a daemon.

pub(in crate::verbs) mod text;
mod watch;

use clap::Args;

use super::candidates;
use super::here::{self, Here};
use super::names::Names;
use super::outcome::to_json;
use super::request::Answer;
use super::screen::{Page, note, print};
use crate::api::{SlotStatus, Slots, State, VERSION};
use crate::client::{Client, block_on};
use crate::error::{Code, Failure};
use crate::exit_code;
use crate::slot_name::project_of;

/// The options of `worker status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Only these slots: api, agent@proj-42, or in full shop/api
    #[arg(value_name = "SLOT", add = candidates::slots())]
    pub slots: Vec<String>,

    /// The slots of all projects, not only of the one this folder belongs to
    #[arg(long, conflicts_with = "slots")]
    pub all: bool,

    /// Go on, and show what changes
    #[arg(long)]
    pub watch: bool,

    /// How to answer.
    #[command(flatten)]
    pub answer: Answer,
}

pub(crate) const HELP: &str = "\
Outside of any project, the slots of all are shown. FOR is how long it has been
in that state, RESTARTS how often it came back since it was started.

Examples:
  worker status
  worker status --watch
  worker status --json | jq -r '.slots[] | select(.state == \"failed\") | .slot'
  worker status api && echo \"it runs\"

Exit codes:
  0 done; with SLOT: it is running    3 SLOT is not, or not yet, running
  4 no such slot    6 the daemon cannot be reached";

/// Which slots are wanted.
#[derive(Clone, Debug)]
enum Selection {
    All,
    Project(String),
    Named(Vec<String>),
}

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if a slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn run(args: &StatusArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?.without_start();
        if !client.is_there().await? {
            return without_daemon(args);
        }
        if args.watch {
            return watch::watch(&client, args).await;
        }
        let slots = client.slots(None).await?;
        let selection = select(args, &slots)?;
        let shown = selection.of(&slots);
        print(&if args.answer.json {
            to_json(&shown)
        } else {
            in_words(&shown, &slots, &Page::stdout())
        })?;
        Ok(selection.exit_code(&shown))
    })
}

/// Nothing runs. A slot that is named must still be one.
fn without_daemon(args: &StatusArgs) -> Result<u8, Failure> {
    let targets = Names { here: &Here::look()?, known: &[] }.find_all(&args.slots)?;
    if let Some(target) = targets.first() {
        let message = format!("{} is not running, nor is the daemon", target.slot);
        let hint = format!("start it: worker start {}", target.slot);
        return Err(Failure::new(Code::NotRunning, message).hint(hint));
    }
    if args.answer.json {
        print(&to_json(&Slots { v: VERSION, slots: Vec::new(), warnings: Vec::new() }))?;
    } else {
        note("no slots, as the daemon does not run; start something: worker up", false);
    }
    Ok(exit_code::DONE)
}

fn select(args: &StatusArgs, slots: &Slots) -> Result<Selection, Failure> {
    if !args.slots.is_empty() {
        let targets =
            Names { here: &Here::look()?, known: &slots.names() }.find_all(&args.slots)?;
        return Ok(Selection::Named(targets.into_iter().map(|target| target.slot).collect()));
    }
    let project = if args.all { None } else { here::project()? };
    Ok(project.map_or(Selection::All, |project| Selection::Project(project.as_str().to_owned())))
}

impl Selection {
    fn of(&self, slots: &Slots) -> Slots {
        let wanted = slots.slots.iter().filter(|slot| self.has(&slot.slot));
        let (slots, warnings) = (wanted.cloned().collect(), slots.warnings.clone());
        Slots { v: VERSION, slots, warnings }
    }

    fn has(&self, slot: &str) -> bool {
        match self {
            Self::All => true,
            Self::Project(project) => project_of(slot) == project,
            Self::Named(names) => names.iter().any(|name| name == slot),
        }
    }

    /// Who names slots asks whether they are running.
    fn exit_code(&self, shown: &Slots) -> u8 {
        let Self::Named(names) = self else { return exit_code::DONE };
        let is_running = |slot: &SlotStatus| slot.state == State::Running;
        let running = shown.slots.iter().filter(|slot| is_running(slot)).count();
        if running == names.len() { exit_code::DONE } else { exit_code::NOT_RUNNING }
    }
}

/// The table, or what to do where it would be empty.
fn in_words(shown: &Slots, all: &Slots, page: &Page) -> String {
    let others = all.slots.len() - shown.slots.len();
    match (shown.slots.is_empty(), others) {
        (false, _) => text::render(&shown.slots, &shown.warnings, page).join("\n"),
        (true, 0) => "no slots yet. Start those of the nearest worker.toml: worker up".to_owned(),
        (true, _) => {
            "no slots of this project yet: worker up. Those of others: worker status --all"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::sample::{running, slot};

    fn slots() -> Slots {
        let slots = vec![running("shop/api"), slot("shop/web", State::Starting), running("b/c")];
        Slots { v: 1, slots, warnings: Vec::new() }
    }

    fn named(names: &[&str]) -> Selection {
        Selection::Named(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_project_has_the_slots_of_its_name() {
        let of = |selection: Selection| selection.of(&slots()).slots.len();
        assert_eq!(of(Selection::All), 3);
        assert_eq!(of(Selection::Project("shop".to_owned())), 2);
        assert_eq!(of(Selection::Project("sho".to_owned())), 0);
        assert_eq!(of(named(&["b/c"])), 1);
    }

    #[test]
    fn a_slot_that_is_named_must_be_running_and_is_not_while_it_starts() {
        let code = |selection: Selection| selection.exit_code(&selection.of(&slots()));
        assert_eq!(code(named(&["shop/api", "b/c"])), 0);
        assert_eq!(code(named(&["shop/api", "shop/web"])), 3);
        assert_eq!(code(named(&["shop/never-started"])), 3);
        assert_eq!(code(Selection::All), 0);
    }
}
