//! `worker env`: the exact environment of a slot.

use super::outcome::to_json;
use super::request::{SlotArgs, slot};
use super::screen::print;
use crate::api::Env;
use crate::client::{Client, block_on};
use crate::error::Failure;
use crate::exit_code;

pub(crate) const HELP: &str = "\
It is what the slot's run has, or what its next one would have; quoted so that a
shell can read it.

Examples:
  worker env api
  env -i sh -c 'set -a; eval \"$(worker env api)\"; exec node debug.js'

Exit codes:
  0 done    4 no such slot    6 no daemon";

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] if the slot cannot be meant, or if the daemon cannot be reached.
pub(crate) fn run(args: &SlotArgs) -> Result<u8, Failure> {
    block_on(async {
        let client = Client::new(&args.answer.state)?;
        let slot = slot(&client, &args.slot).await?;
        let env = client.env(&slot).await?;
        print(&if args.answer.json { to_json(&env) } else { text(&env) })?;
        Ok(exit_code::DONE)
    })
}

/// `NAME=value`, line by line.
fn text(env: &Env) -> String {
    env.env.iter().map(|(name, value)| line(name, value)).collect::<Vec<_>>().join("\n")
}

/// What no shell can assign is one word, so that it does not do anything else either.
fn line(name: &str, value: &str) -> String {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    if name.chars().all(is_sign) {
        format!("{name}={}", quoted(value))
    } else {
        quoted(&format!("{name}={value}"))
    }
}

fn quoted(value: &str) -> String {
    // No environment holds a NUL, which is all that cannot be quoted.
    shlex::try_quote(value).map_or_else(|_| value.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_in_a_shell() {
        let env = [("A", "plain"), ("B", "two words"), ("C", "it's\nlong"), ("D", "")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let text = text(&Env { v: 1, slot: "shop/api".to_owned(), env });
        assert_eq!(
            shlex::split(&text).unwrap(),
            ["A=plain", "B=two words", "C=it's\nlong", "D="],
            "{text}"
        );
    }

    #[test]
    fn a_name_that_no_shell_can_assign_makes_it_do_nothing_else() {
        let text = line("A;touch x", "1");
        assert_eq!(shlex::split(&text).unwrap(), ["A;touch x=1"], "{text}");
        assert!(text.starts_with(['"', '\'']), "{text}");
    }
}
