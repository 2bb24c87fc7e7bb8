//! Names of projects, slots and templates, and ids of a template's instances.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The pattern of a [`Name`], as JSON Schema wants it.
pub(super) const PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";

const LONGEST: usize = 64;

/// A name that can stand in a path, a URL, a file's name and a cgroup's name as it is, and beside
/// the signs `/` and `@` that join names: 1 to 64 ASCII letters, digits, `-`, `_` and `.`, of which
/// the first is a letter or a digit. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// What a name may hold.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && text.len() <= LONGEST && text.chars().all(is_fit) {
            return Ok(Self(text.into()));
        }
        Err("a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ . and begins with a \
             letter or a digit"
            .to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, as text that is shared.
    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Compares as the text does.
impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name that comes closest to a text; none if nothing of it is left.
pub(super) fn nearest(text: &str) -> Option<Name> {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let fit: String = text.chars().take(LONGEST).map(fit).collect();
    let words: Vec<&str> = fit.split('-').filter(|word| !word.is_empty()).collect();
    Name::parse(&words.join("-")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_a_path_as_it_is() {
        for name in ["api", "proj-42", "Web_2.0", "0", &"x".repeat(64)] {
            assert_eq!(Name::parse(name).map(|name| name.0), Ok(name.into()));
        }
        let long = "x".repeat(65);
        for text in ["", ".", "..", "-x", "_x", "a b", "a/b", "a@b", "ä", "a\0", "a\n", &long] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_nearest_name_keeps_what_it_can() {
        assert_eq!(nearest("My Shop (2)").unwrap().as_str(), "my-shop-2");
        assert_eq!(nearest("…"), None);
    }
}
