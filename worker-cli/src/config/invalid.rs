//! A configuration that cannot be used, and everything that is wrong with it.

use std::fmt;

use super::problem::{Problem, Problems};
use super::render::{Look, render};
use super::source::Source;
use crate::error::{Code, Detail, Failure};

/// Everything that is wrong with a configuration. Displays as people read it, without colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl Invalid {
    pub(super) fn new(sources: Vec<Source>, problems: Problems) -> Self {
        Self { sources, problems: problems.into_sorted() }
    }

    fn detail(&self, problem: &Problem, look: Look) -> Detail {
        let source = &self.sources[problem.place.file];
        let (line, column) = source.line_and_column(problem.place.span.start);
        Detail {
            file: source.path.clone(),
            line,
            column,
            message: problem.message.clone(),
            hint: problem.hint.clone(),
            rendered: render(problem, &self.sources, look),
        }
    }

    fn summary(&self) -> String {
        let mut files: Vec<String> = Vec::new();
        for problem in &self.problems {
            let file = self.sources[problem.place.file].path.display().to_string();
            if !files.contains(&file) {
                files.push(file);
            }
        }
        let files = files.join(" and ");
        match self.problems.len() {
            1 => format!("there is an error in {files}"),
            count => format!("there are {count} errors in {files}"),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rendered = self.problems.iter().map(|it| render(it, &self.sources, Look::Plain));
        f.write_str(&rendered.collect::<Vec<_>>().join("\n\n"))
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let look = Look::for_stderr();
        let details = invalid.problems.iter().map(|problem| invalid.detail(problem, look));
        let details = details.collect();
        Self::new(Code::BadConfig, invalid.summary()).details(details)
    }
}
