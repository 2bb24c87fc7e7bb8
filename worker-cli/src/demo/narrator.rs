//! Tells the demo, in plain text that fits 80 columns.

use std::io::{self, Write};

use worker_core::{Block, Event, Exit};

use super::census::{self, Member};
use crate::driver::Notice;
use crate::duration::human;
use crate::ports::Ports;
use crate::run::breaker_message;

/// Who tells it.
pub(super) struct Narrator {
    mark: String,
    block: Option<Block>,
    /// Processes that lived, over all runs.
    lived: usize,
}

impl Narrator {
    /// Says what is about to be seen.
    pub(super) fn open(mark: String, options: &str) -> Self {
        say(&format!(
            "\
worker demo: an agent that misbehaves, looked after by `worker run`.

  The agent starts a child, one that leaves its session, and a daemon without a
  parent. It takes a port and 32 MB of memory, and then it is killed, each time.

  $ worker run {} \\
      -- worker __agent
",
            options.replace(" --max", " \\\n      --max")
        ));
        Self { mark, block: None, lived: 0 }
    }

    /// Tells what happened. Counts in /proc, and not by what the supervisor believes.
    pub(super) fn tell(&mut self, notice: &Notice) {
        let number = notice.run.map_or(0, |run| run.number);
        match notice.event {
            Event::Spawned { block } => self.block = block,
            Event::Ready { after, .. } => {
                let port = self.block.map_or_else(String::new, |block| format!(" on port {block}"));
                say(&format!("run {number} is ready{port} after {}. In /proc:", human(after)));
                self.tell_members(notice.pid);
            }
            Event::Exited { exit, .. } => say(&format!("  The agent {}.", ended(exit))),
            Event::TreeGone { killed, .. } => self.tell_emptied(killed),
            Event::Restarting { delay, streak, max_failures, .. } => say(&format!(
                "  Restart in {}: {streak} of {max_failures} failures.\n",
                human(delay)
            )),
            Event::Failed(parked) => say(&format!(
                "\nThe breaker tripped, and the slot is parked. No restart will come:\n  {}",
                wrapped(&breaker_message(parked))
            )),
            Event::Error(cause) => {
                let why = notice.spawn_error.clone().unwrap_or_else(|| cause.to_string());
                say(&format!("  It could not be started: {why}"));
            }
            Event::Stopping(_) => say("  Stopping."),
            Event::Starting | Event::Stopped | Event::Reset | Event::Unkillable => {}
        }
    }

    /// Says what is left. True if that is nothing.
    pub(super) fn close(&self) -> bool {
        let left = census::count(&self.mark);
        let Self { lived, block, .. } = self;
        say(&format!("\nWhat is left, counted in /proc: {} of {lived} processes.", left.len()));
        tell_each(&left, None);
        if let Some(block) = *block {
            tell_port(block);
        }
        say("\nTo re-arm it, you would type the same `worker run` again.");
        left.is_empty()
    }

    fn tell_members(&mut self, leader: Option<i32>) {
        let members = census::count(&self.mark);
        self.lived += members.len();
        tell_each(&members, leader);
    }

    fn tell_emptied(&self, killed: u32) {
        let left = census::count(&self.mark).len();
        say(&format!("  SIGKILL ended {killed} more. Left of the tree, counted in /proc: {left}."));
    }
}

/// Others may have taken it, once nothing of the tree held it any more.
fn tell_port(block: Block) {
    let ports = Ports::default();
    if ports.reserve(block) {
        say(&format!("Port {block} is free to bind again."));
    } else {
        say(&format!("Somebody else came first to the port: {}.", ports.holders()));
    }
}

fn tell_each(members: &[Member], leader: Option<i32>) {
    let leader = members.iter().find(|member| Some(member.pid) == leader);
    for member in members {
        let Member { pid, role, memory, .. } = member;
        let (megabytes, place) = (memory.div_ceil(1 << 20), place(member, leader));
        say(&format!("    pid {pid:<7} {role:<8} {megabytes:>3} MB   {place}"));
    }
}

fn place(member: &Member, leader: Option<&Member>) -> &'static str {
    let Some(leader) = leader else { return "" };
    let is_adopted = i32::try_from(std::process::id()).is_ok_and(|own| own == member.parent);
    match (member.session == leader.session, is_adopted) {
        _ if member == leader => "leads its process group",
        (true, _) => "in the group of the agent",
        (false, false) => "left the session",
        (false, true) => "left the session; its parent is gone",
    }
}

fn ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("was ended by {signal}"),
        Exit::Unknown => "ended".to_owned(),
    }
}

/// Broken into lines of at most 76 columns, to be indented by two.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > 76 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines.join("\n  ")
}

/// A reader that has seen enough is no reason to stop halfway.
fn say(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_broken_between_words() {
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.chars().count() <= 78));
        assert_eq!(text.split_whitespace().count(), 40);
        assert_eq!(wrapped(&"x".repeat(100)), "x".repeat(100));
    }
}
