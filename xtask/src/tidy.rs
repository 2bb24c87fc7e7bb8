//! `cargo xtask tidy`: the checks of the house that no other tool makes.

use crate::sources::{self, Source};
use crate::step::{Failure, Passed, Step, StepResult};

/// The step.
pub(crate) const STEP: Step = Step { name: "tidy", run };

/// A function that is longer wants to be two.
const LONGEST_FUNCTION: usize = 70;

/// Folders of the crates in which `unsafe` may stand.
const UNSAFE_FOLDERS: [&str; 2] = ["platform-unix/", "platform-windows/"];

/// What makes the word `unsafe` more than a word.
const UNSAFE_THINGS: [&str; 6] = [" {", " fn", " impl", " trait", " extern", "("];

/// What the design promises, and how many points there are of each: each is tested by name.
const PROMISES: [(&str, u32); 2] = [("contract", 14), ("rule", 12)];

type Check = fn(&Source) -> Vec<String>;

const CHECKS: [Check; 3] = [missing_docs, long_functions, misplaced_unsafe];

fn run() -> StepResult {
    let repeat = || "cargo xtask tidy".to_owned();
    let sources =
        sources::all().map_err(|error| Failure { report: error.to_string(), repeat: repeat() })?;
    let faults: Vec<String> =
        sources.iter().flat_map(faults).chain(untested_promises(&sources)).collect();
    if faults.is_empty() {
        return Ok(Passed::Ok(format!("{} files", sources.len())));
    }
    Err(Failure { report: faults.join("\n"), repeat: repeat() })
}

fn faults(source: &Source) -> impl Iterator<Item = String> {
    CHECKS.iter().flat_map(|check| check(source))
}

/// A file says at its top what it is for.
fn missing_docs(source: &Source) -> Vec<String> {
    let is_header =
        |line: &&str| line.starts_with("#!") || line.starts_with("//") || line.is_empty();
    if source.text.lines().take_while(is_header).any(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![format!("{}: say in a `//!` line at the top what the file is for", source.path)]
}

/// Relies on rustfmt: a function ends at the first `}` that is indented as its `fn` line is.
fn long_functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| is_function(line));
    starts.filter_map(|(start, _)| too_long(source, &lines, start)).collect()
}

fn is_function(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| {
        ["async", "const", "extern", "fn", "unsafe"].contains(word)
            || word.starts_with("pub")
            || word.starts_with('"')
    });
    words.last() == Some("fn")
}

fn too_long(source: &Source, lines: &[&str], start: usize) -> Option<String> {
    let body = lines[start..].iter().find(|line| line.ends_with(['{', ';', '}']))?;
    if !body.ends_with('{') {
        return None;
    }
    let indent = lines[start].len() - lines[start].trim_start().len();
    let end = format!("{:indent$}}}", "");
    let length = lines[start..].iter().position(|line| *line == end)? + 1;
    let place = format!("{}:{}", source.path, start + 1);
    let most = LONGEST_FUNCTION;
    let fault = format!("{place}: a function of {length} lines: split it (the most is {most})");
    (length > most).then_some(fault)
}

fn misplaced_unsafe(source: &Source) -> Vec<String> {
    if UNSAFE_FOLDERS.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let lines = source.text.lines().enumerate().filter(|(_, line)| is_unsafe(line));
    let place =
        |(at, _)| format!("{}:{}: unsafe code outside a platform crate", source.path, at + 1);
    lines.map(place).collect()
}

fn is_unsafe(line: &str) -> bool {
    let code = without_text(line);
    code.match_indices("unsafe").any(|(at, word)| {
        let is_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &code[at + word.len()..];
        is_word && UNSAFE_THINGS.iter().any(|thing| rest.starts_with(thing))
    })
}

/// The line without its comment and without what stands in its strings.
fn without_text(line: &str) -> String {
    let outside_strings: String = line.split('"').step_by(2).collect();
    outside_strings.split("//").next().unwrap_or_default().to_owned()
}

/// A test of the reducer that keeps the third point of the contract is called `contract_3_…`.
fn untested_promises(sources: &[Source]) -> Vec<String> {
    let tests: Vec<_> = sources.iter().filter(|it| it.path.starts_with("core/tests/")).collect();
    let points = PROMISES.iter().flat_map(|(kind, count)| (1..=*count).map(move |n| (kind, n)));
    let names = points.map(|(kind, n)| format!("{kind}_{n}_"));
    let untested = names.filter(|name| {
        let head = format!("fn {name}");
        !tests.iter().any(|source| source.text.contains(&head))
    });
    untested.map(|name| format!("core/tests: no test is called `{name}…`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    fn function(head: &str, lines: usize) -> String {
        format!("    {head} {{\n{}    }}\n", "        step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_file_without_a_doc_is_a_fault() {
        assert!(missing_docs(&source("a.rs", "#![no_std]\n//! Does a thing.\n")).is_empty());
        let faults = missing_docs(&source("a.rs", "// A note.\nuse b;\n\n//! Too late.\n"));
        assert_eq!(faults, ["a.rs: say in a `//!` line at the top what the file is for"]);
    }

    #[test]
    fn a_function_may_have_70_lines_and_no_more() {
        for head in ["fn f()", "pub(crate) async fn f()", "pub const unsafe fn f()"] {
            assert!(long_functions(&source("a.rs", &function(head, 70))).is_empty());
            let faults = long_functions(&source("a.rs", &function(head, 71)));
            assert_eq!(faults, ["a.rs:1: a function of 71 lines: split it (the most is 70)"]);
        }
    }

    #[test]
    fn a_function_on_one_line_does_not_reach_to_the_end_of_the_next() {
        for head in ["fn f(&self);", "fn f() {}"] {
            let text = format!("    {head}\n{}    }}\n", "    // More.\n".repeat(80));
            assert!(long_functions(&source("a.rs", &text)).is_empty());
        }
    }

    #[test]
    fn unsafe_code_is_a_fault_outside_the_platform_crates() {
        let text = "// unsafe {\nfn is_unsafe(line: &str)\nlet a = unsafe { f() };\n#[unsafe(no_mangle)]\n";
        assert!(misplaced_unsafe(&source("platform-unix/src/a.rs", text)).is_empty());
        let fault = |line| format!("core/src/a.rs:{line}: unsafe code outside a platform crate");
        assert_eq!(misplaced_unsafe(&source("core/src/a.rs", text)), [fault(3), fault(4)]);
    }

    #[test]
    fn each_point_of_the_design_has_a_test_that_cites_its_number() {
        let tests: String = PROMISES
            .iter()
            .flat_map(|(kind, count)| (1..=*count).map(move |n| format!("fn {kind}_{n}_holds()\n")))
            .collect();
        let sources = |text: &str| [source("core/tests/a.rs", text)];
        assert!(untested_promises(&sources(&tests)).is_empty());
        let faults = untested_promises(&sources(&tests.replace("rule_7_", "rule_70_")));
        assert_eq!(faults, ["core/tests: no test is called `rule_7_…`"]);
    }
}
