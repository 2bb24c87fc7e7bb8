//! What was found, as text for 80 columns.

use std::fmt::Display;

use super::diagnosis::{Diagnosis, Guardian, Kernel, Limit, Limits, Problem, Tier};

const WIDTH: usize = 80;

/// Of the names in front, with what is before and behind them.
const INDENT: usize = 24;

/// More of one supervisor are only counted.
const NAMED: usize = 8;

/// Several lines, without the last line's end.
pub(super) fn render(diagnosis: &Diagnosis) -> String {
    let sections = [
        section("How trees are emptied", &trees(diagnosis)),
        section("If worker is killed", &killed(diagnosis)),
        section("Daemon", &daemon(diagnosis)),
        section(&format!("Kernel: {}", diagnosis.kernel.version), &kernel(&diagnosis.kernel)),
        section("Limits", &limits(&diagnosis.limits)),
        verdict(&diagnosis.problems()),
    ];
    sections.join("\n\n")
}

type Row = (&'static str, String);

fn trees(diagnosis: &Diagnosis) -> Vec<Row> {
    let trees = &diagnosis.trees;
    let mut rows = Vec::new();
    match (&trees.folder, &trees.no_cgroups) {
        (Some(folder), _) => {
            rows.push(("cgroup", format!("in use: one for each run, below {}", folder.display())));
        }
        (None, why) => {
            rows.push(("cgroup", format!("no: {}", why.as_deref().unwrap_or("not known"))));
            rows.extend(trees.mend.clone().map(|mend| ("", format!("mend: {mend}"))));
        }
    }
    let found = "what loses its parent falls to the supervisor, which ends it";
    rows.push(match trees.tier {
        Tier::Cgroup => ("subreaper", "in use, for what leaves its cgroup".to_owned()),
        Tier::Subreaper => ("subreaper", format!("in use: {found}")),
        Tier::Group => ("subreaper", "no: this system has none".to_owned()),
    });
    if trees.tier == Tier::Group {
        let seen = "in use, and what was seen below it";
        rows.push(("process group", seen.to_owned()));
    }
    rows
}

fn killed(diagnosis: &Diagnosis) -> Vec<Row> {
    let guardian = match diagnosis.guardian {
        Guardian::Stands => "yes: it ends what a killed supervisor leaves behind",
        Guardian::NotNeeded => "not needed: the kernel ends what PID 1 leaves behind",
        Guardian::FindsNothing => "only for signals: orphans do not fall to it on this system",
    };
    let mut rows = vec![("guardian", guardian.to_owned()), ("journal", journal(diagnosis))];
    rows.extend(left(diagnosis));
    for path in &diagnosis.journal.put_aside {
        let what = "could not be understood; remove it when you have seen it";
        rows.push(("put aside", format!("{}: {what}", path.display())));
    }
    rows
}

fn daemon(diagnosis: &Diagnosis) -> Vec<Row> {
    let daemon = &diagnosis.daemon;
    let running = daemon.pid.map_or_else(
        || "no: it is started when a verb needs it".to_owned(),
        |pid| format!("yes: pid {pid}"),
    );
    let mut rows = vec![("running", running)];
    rows.extend(daemon.warnings.iter().map(|warning| ("trouble", warning.clone())));
    rows
}

fn journal(diagnosis: &Diagnosis) -> String {
    match (&diagnosis.journal.problem, &diagnosis.journal.folder, diagnosis.guardian) {
        (_, _, Guardian::NotNeeded) => "not needed".to_owned(),
        (Some(problem), _, _) => format!("no: {problem}"),
        (None, None, _) => "no".to_owned(),
        (None, Some(folder), _) => format!(
            "yes: if both are killed, the next start ends what is left; in {}",
            folder.display()
        ),
    }
}

fn left(diagnosis: &Diagnosis) -> Vec<Row> {
    let mut rows = Vec::new();
    for leftover in &diagnosis.leftovers {
        let count = leftover.processes.len();
        let noun = if count == 1 { "process" } else { "processes" };
        rows.push((
            "left behind",
            format!(
                "{count} {noun} of a killed supervisor (pid {}), for the next start to end:",
                leftover.supervisor
            ),
        ));
        let named = leftover.processes.iter().take(NAMED);
        rows.extend(named.map(|process| ("", process.description.clone())));
        if count > NAMED {
            rows.push(("", format!("and {} more", count - NAMED)));
        }
    }
    if rows.is_empty() {
        rows.push(("left behind", "nothing".to_owned()));
    }
    rows
}

fn kernel(kernel: &Kernel) -> Vec<Row> {
    let cgroup2 = match (kernel.cgroup2, kernel.controllers.as_slice()) {
        (false, _) => "no".to_owned(),
        (true, []) => "yes, without controllers".to_owned(),
        (true, names) => format!("yes, with {}", names.join(", ")),
    };
    vec![
        ("child subreaper", yes(kernel.subreaper)),
        ("lists of children", yes(kernel.children_lists)),
        ("pidfd", yes(kernel.pidfd)),
        ("pidfd of a group", yes(kernel.pidfd_group)),
        ("cgroup v2", cgroup2),
        ("memory pressure", yes(kernel.memory_pressure)),
    ]
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn limits(limits: &Limits) -> Vec<Row> {
    let mut rows =
        vec![("processes", limit(limits.processes)), ("open files", limit(limits.open_files))];
    rows.extend(limits.pid_max.map(|max| ("process ids", format!("below {max}"))));
    rows
}

fn limit(limit: Limit) -> String {
    let number =
        |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    if limit.soft == limit.hard {
        number(limit.soft)
    } else {
        format!("{}, and up to {} where asked for", number(limit.soft), number(limit.hard))
    }
}

fn verdict(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return "The promises can be kept here.".to_owned();
    }
    let told = problems.iter().map(|problem| {
        let hint = problem.hint.iter().map(|hint| hanging("    hint: ", "          ", hint));
        let message = hanging("  - ", "    ", &problem.message);
        [message].into_iter().chain(hint).collect::<Vec<_>>().join("\n")
    });
    let title = "Not every promise can be kept here:".to_owned();
    [title].into_iter().chain(told).collect::<Vec<_>>().join("\n")
}

fn section(title: &str, rows: &[Row]) -> String {
    let rows = rows.iter().map(|(name, text)| {
        let first = format!("  {name:<width$}", width = INDENT - 2);
        hanging(&first, &" ".repeat(INDENT), text)
    });
    [title.to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// Paths stay whole, for those who copy them.
fn hanging(first: &str, others: &str, text: &impl Display) -> String {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&text.to_string(), options)
}

#[cfg(test)]
mod tests;
