//! Texts with placeholders: `{port}`, `{port+1}`, `{slot}`, `{project}`, `{id}` and `{dir}`.
//!
//! What stands in braces is a placeholder if it looks like a name: letters, digits, `_`, `+` and
//! `-`. So `{ echo; }`, `{}`, `{"a":1}`, `{{.Names}}` and `${PORT}` stay as they are. `{{port}}` is
//! the text `{port}`.

use std::fmt;

/// A text whose placeholders are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{port+N}`: the port of the block with this index. `{port}` is the first.
    Port(u16),
    /// `{slot}`: the slot's name, `agent@proj-42` for an instance of a template.
    Slot,
    /// `{project}`: the project's name.
    Project,
    /// `{id}`: what stands behind the `@` of an instance.
    Id,
    /// `{dir}`: the folder that the slot runs in, absolute.
    Dir,
}

/// What the placeholders stand for in one instance.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The slot's name.
    pub slot: &'a str,
    /// Empty for a slot that is no instance.
    pub id: &'a str,
    /// Empty where `{dir}` is refused.
    pub dir: &'a str,
    /// The first port of the block; 0 where `{port}` is refused.
    pub first_port: u16,
}

/// A placeholder that there is not, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) String);

/// All of them, as they are written.
pub(super) const KNOWN: [&str; 6] = ["port", "port+1", "slot", "project", "id", "dir"];

impl Text {
    /// A text without placeholders.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(if text.is_empty() { Vec::new() } else { vec![Piece::Literal(text)] })
    }

    pub(super) fn parse(text: &str) -> Result<Self, Unknown> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        let mut literal = String::new();
        while let Some(open) = rest.find(['{', '$']) {
            literal.push_str(&rest[..open]);
            let (piece, length) = braced(&rest[open..])?;
            rest = &rest[open + length..];
            match piece {
                Piece::Literal(text) => literal.push_str(&text),
                Piece::Placeholder(_) => {
                    pieces.extend([Piece::Literal(std::mem::take(&mut literal)), piece]);
                }
            }
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        pieces.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
        Ok(Self(pieces))
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(*placeholder),
            Piece::Literal(_) => None,
        })
    }

    /// The text with every placeholder replaced.
    #[must_use]
    pub fn expand(&self, values: Values<'_>) -> String {
        self.0.iter().map(|piece| piece.expand(values)).collect()
    }

    /// This text behind another one that is literal.
    pub(super) fn behind(mut self, literal: &str) -> Self {
        match self.0.first_mut() {
            Some(Piece::Literal(text)) => text.insert_str(0, literal),
            Some(Piece::Placeholder(_)) | None => {
                self.0.insert(0, Piece::Literal(literal.to_owned()));
            }
        }
        self
    }

    /// What it begins with, up to the first placeholder.
    pub(super) fn head(&self) -> &str {
        match self.0.first() {
            Some(Piece::Literal(text)) => text,
            Some(Piece::Placeholder(_)) | None => "",
        }
    }

    /// Whether it begins with this placeholder.
    pub(super) fn begins_with(&self, placeholder: Placeholder) -> bool {
        self.0.first() == Some(&Piece::Placeholder(placeholder))
    }

    /// The same without what its head begins with; none if that is something else.
    pub(super) fn without_prefix(&self, prefix: &str) -> Option<Self> {
        let (first, others) = self.0.split_first()?;
        let Piece::Literal(head) = first else { return None };
        let rest = head.strip_prefix(prefix)?;
        let rest = (!rest.is_empty()).then(|| Piece::Literal(rest.to_owned()));
        Some(Self(rest.into_iter().chain(others.iter().cloned()).collect()))
    }
}

impl Piece {
    fn expand(&self, values: Values<'_>) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Placeholder(placeholder) => placeholder.expand(values),
        }
    }
}

impl Placeholder {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "port" => Some(Self::Port(0)),
            "slot" => Some(Self::Slot),
            "project" => Some(Self::Project),
            "id" => Some(Self::Id),
            "dir" => Some(Self::Dir),
            _ => name.strip_prefix("port+")?.parse().ok().map(Self::Port),
        }
    }

    fn expand(self, values: Values<'_>) -> String {
        match self {
            Self::Port(index) => (u32::from(values.first_port) + u32::from(index)).to_string(),
            Self::Slot => values.slot.to_owned(),
            Self::Project => values.project.to_owned(),
            Self::Id => values.id.to_owned(),
            Self::Dir => values.dir.to_owned(),
        }
    }
}

/// Reads what begins with `{` or `$`; answers what it is and how many bytes it has.
fn braced(text: &str) -> Result<(Piece, usize), Unknown> {
    let literal = |length: usize| Ok((Piece::Literal(text[..length].to_owned()), length));
    let Some(inner) = text.strip_prefix('{') else {
        // `${NAME}` is for a shell that the command may start.
        return literal(if text.starts_with("${") { 2 } else { 1 });
    };
    if let Some(name) = inner.strip_prefix('{').and_then(name_before_brace)
        && inner[1 + name.len()..].starts_with("}}")
    {
        return Ok((Piece::Literal(format!("{{{name}}}")), name.len() + 4));
    }
    let Some(name) = name_before_brace(inner) else { return literal(1) };
    match Placeholder::parse(name) {
        Some(placeholder) => Ok((Piece::Placeholder(placeholder), name.len() + 2)),
        None => Err(Unknown(name.to_owned())),
    }
}

/// The name that a text begins with, if a `}` follows it.
fn name_before_brace(text: &str) -> Option<&str> {
    let name = &text[..text.find('}')?];
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    let looks_like_one = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (looks_like_one && name.chars().all(is_fit)).then_some(name)
}

/// As it was written.
impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(0) => f.write_str("{port}"),
            Self::Port(index) => write!(f, "{{port+{index}}}"),
            Self::Slot => f.write_str("{slot}"),
            Self::Project => f.write_str("{project}"),
            Self::Id => f.write_str("{id}"),
            Self::Dir => f.write_str("{dir}"),
        }
    }
}

/// As it can be read again.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Literal(text) => f.write_str(&escaped(text)),
            Piece::Placeholder(placeholder) => placeholder.fmt(f),
        })
    }
}

/// Doubles the braces around what would be read as a placeholder.
fn escaped(text: &str) -> String {
    let (mut escaped, mut rest) = (String::new(), text);
    while let Some(open) = rest.find(['{', '$']) {
        escaped.push_str(&rest[..open]);
        rest = &rest[open..];
        let length = match rest.strip_prefix('{').map(name_before_brace) {
            Some(Some(name)) => {
                escaped.push_str(&format!("{{{{{name}}}}}"));
                name.len() + 2
            }
            Some(None) => push_start(&mut escaped, rest, 1),
            None => push_start(&mut escaped, rest, if rest.starts_with("${") { 2 } else { 1 }),
        };
        rest = &rest[length..];
    }
    escaped + rest
}

fn push_start(to: &mut String, text: &str, length: usize) -> usize {
    to.push_str(&text[..length]);
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUES: Values<'static> =
        Values { project: "shop", slot: "agent@x", id: "x", dir: "/d", first_port: 21_000 };

    fn expanded(text: &str) -> String {
        Text::parse(text).unwrap().expand(VALUES)
    }

    #[test]
    fn placeholders_are_replaced() {
        assert_eq!(expanded("{port}:{port+1}"), "21000:21001");
        assert_eq!(expanded("{project}/{slot} {id} {dir}/x"), "shop/agent@x x /d/x");
    }

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        for text in
            ["{ echo; }", "{}", "{\"a\":1}", "{{.Names}}", "${PORT}", "{1,2}", "{", "a}", "$"]
        {
            assert_eq!(expanded(text), text);
        }
        assert_eq!(expanded("{{port}} ${dir} {dir}"), "{port} ${dir} /d");
    }

    #[test]
    fn what_looks_like_a_placeholder_and_is_none_is_refused() {
        for name in ["prot", "PORT", "port-1", "port+", "port+65536", "print"] {
            assert_eq!(Text::parse(&format!("a {{{name}}}")), Err(Unknown(name.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn a_text_prints_as_it_can_be_read_again(text in "[{}$a-c+1 ]{0,12}|(\\{|\\}|\\$|port|id|x){0,9}") {
            let literal = Text::parse(&Text::literal(text.clone()).to_string());
            prop_assert_eq!(literal.map(|read| read.expand(VALUES)), Ok(text.clone()));
            if let Ok(read) = Text::parse(&text) {
                prop_assert_eq!(Text::parse(&read.to_string()), Ok(read));
            }
        }
    }
}
