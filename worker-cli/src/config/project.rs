//! The name of a project, without a look at what else its file says.

use std::path::Path;

use toml::de::DeTable;

use super::find;
use super::name::Name;
use super::resolve::folder_name;

/// The name of the project of the `worker.toml` at this path. None where it cannot be told: that the
/// rest of the file is bad is not in the way as long as it is TOML.
pub fn project_of(file: &Path) -> Option<Name> {
    let mut written = None;
    for found in find::read(file, |file| std::fs::read(file)).ok()? {
        let text = String::from_utf8(found.bytes).ok()?;
        written = project_in(&text)?.or(written);
    }
    let name = written.or_else(|| file.parent().map(folder_name))?;
    Name::parse(&name).ok()
}

/// What a file says, if anything. None if it is not TOML.
///
/// Keys of the file itself stand above its first table, and what is above that is little. Where a line
/// looks like a table and is none, what is above it is not whole.
fn project_in(text: &str) -> Option<Option<String>> {
    let above = text.find("\n[").map_or(text, |at| &text[..at]);
    let root = DeTable::parse(above).or_else(|_| DeTable::parse(text)).ok()?;
    match root.get_ref().get("project") {
        Some(name) => Some(Some(name.get_ref().as_str()?.to_owned())),
        None => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("shop");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        project_of(&folder.join("worker.toml")).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn a_project_is_called_what_its_files_say_or_like_its_folder() {
        let named = ("worker.toml", "project = \"a\"\n[slots.x]\nno-such-key = 1\n");
        assert_eq!(project(&[named]).as_deref(), Some("a"));
        let local = ("worker.local.toml", "project = \"b\"\n");
        assert_eq!(project(&[named, local]).as_deref(), Some("b"));
        assert_eq!(project(&[("worker.toml", "")]).as_deref(), Some("shop"));
        let below = "slots.x.command = [\n[\"a\"]]\nproject = \"c\"\n";
        assert_eq!(project(&[("worker.toml", below)]).as_deref(), Some("c"));
        let of_a_slot = "[slots.x]\nproject = \"d\"\n";
        assert_eq!(project(&[("worker.toml", of_a_slot)]).as_deref(), Some("shop"));
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for text in ["project = ", "project = 7", "project = \"a b\""] {
            assert_eq!(project(&[("worker.toml", text)]), None, "{text}");
        }
        assert_eq!(project(&[]), None);
    }
}
