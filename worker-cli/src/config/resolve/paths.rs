//! Paths: `~`, and from the folder of `worker.toml` on.

use std::path::Path;

use super::Checks;
use crate::config::problem::Problem;
use crate::config::setting::At;
use crate::config::source::Place;
use crate::config::text::{Placeholder, Text};
use crate::config::values::{List, PathText};

impl Checks<'_> {
    /// The folder to run in, absolute.
    pub(super) fn dir(&mut self, dir: Option<&At<PathText>>) -> Option<Text> {
        match dir {
            Some(dir) => self.absolute(&dir.value.0, &dir.place),
            None => Some(Text::literal(self.folder())),
        }
    }

    /// Files, absolute.
    pub(super) fn files(&mut self, files: Option<&At<List<PathText>>>) -> Option<Vec<Text>> {
        let files = files.into_iter().flat_map(|files| &files.value.0);
        let absolute: Vec<Option<Text>> =
            files.map(|file| self.absolute(&file.value.0, &file.place)).collect();
        absolute.into_iter().collect()
    }

    fn absolute(&mut self, text: &Text, place: &Place) -> Option<Text> {
        let head = text.head().to_owned();
        if Path::new(&head).is_absolute() || text.begins_with(Placeholder::Dir) {
            return Some(text.clone());
        }
        if head.starts_with('~') {
            return self.in_home(text, place);
        }
        let folder = self.folder();
        let inner = text.without_prefix("./").unwrap_or_else(|| text.clone());
        if inner == Text::literal(".") || inner == Text::default() {
            return Some(Text::literal(folder));
        }
        Some(inner.behind(&format!("{}/", folder.trim_end_matches('/'))))
    }

    fn in_home(&mut self, text: &Text, place: &Place) -> Option<Text> {
        let rest = text
            .without_prefix("~")
            .filter(|rest| *rest == Text::default() || rest.head().starts_with('/'));
        let (problem, hint) = match (rest, self.home.user.as_deref().and_then(Path::to_str)) {
            (Some(rest), Some(home)) => return Some(rest.behind(home.trim_end_matches('/'))),
            (Some(_), None) => ("`~` stands for your home folder, which is not known", "set HOME"),
            (None, _) => ("`~` can only stand alone or before a `/`", "write the whole path"),
        };
        self.add(Problem::new(place, problem).hint(hint));
        None
    }

    /// The folder of `worker.toml`, whose path is text: see where the file is found.
    fn folder(&self) -> String {
        self.home.folder.to_string_lossy().into_owned()
    }
}
