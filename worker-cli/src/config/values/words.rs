//! Commands: a list of words, or a text that is split like a shell would.

use toml::de::DeValue;

use super::schema;
use super::text::placeholders;
use crate::config::problem::Problem;
use crate::config::setting::{At, Reader, Setting, Value};
use crate::config::text::Text;

/// A program and its arguments.
#[derive(Clone, Debug)]
pub(in crate::config) struct Words(pub(in crate::config) Vec<At<Text>>);

/// The same, or nothing at all.
#[derive(Clone, Debug)]
pub(in crate::config) struct OptionalWords(pub(in crate::config) Vec<At<Text>>);

schema!(Words, {
    "anyOf": [
        {"type": "string", "pattern": "[^ \\t\\r\\n]"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ],
    "examples": [["bun", "run", "server.ts"], "bun run server.ts"],
});
schema!(OptionalWords, {
    "anyOf": [
        {"type": "string", "pattern": "[^ \\t\\r\\n]"},
        {"type": "array", "items": {"type": "string"}},
    ],
});

const WANTED: &str = "a list of texts such as [\"node\", \"server.js\"], or one text";

/// What only a shell would understand.
const SHELL_SIGNS: [&str; 8] = ["&&", "||", "|", ";", "&", ">", ">>", "<"];

impl Setting for Words {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let words = words(value, reader)?;
        if words.is_empty() {
            return reader.refuse(value, "there is no program to run in here");
        }
        Some(Self(words))
    }
}

impl Setting for OptionalWords {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
            return Some(Self(Vec::new()));
        }
        Words::read(value, reader).map(|words| Self(words.0))
    }
}

fn words(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Vec<At<Text>>> {
    let words: Vec<At<Text>> = match value.get_ref() {
        DeValue::Array(items) => listed(items, reader)?,
        DeValue::String(text) => split(text, value, reader)?,
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => return reader.wrong_type(value, WANTED),
    };
    if words.first().is_some_and(|program| program.value == Text::default()) {
        return reader.refuse(value, "the program's name, which comes first, is empty");
    }
    Some(words)
}

fn listed(items: &[Value<'_>], reader: &mut Reader<'_>) -> Option<Vec<At<Text>>> {
    let words: Vec<Option<At<Text>>> = items.iter().map(|item| reader.read(item)).collect();
    words.into_iter().collect()
}

fn split(text: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Vec<At<Text>>> {
    let Some(words) = shlex::split(text) else {
        return reader.refuse(value, "a quote in this command is not closed");
    };
    if let Some(sign) = words.iter().find(|word| SHELL_SIGNS.contains(&word.as_str())) {
        return no_shell(sign, value, reader);
    }
    let place = reader.place(value.span());
    let texts: Vec<Option<Text>> =
        words.iter().map(|word| placeholders(word, value, reader)).collect();
    let texts: Option<Vec<Text>> = texts.into_iter().collect();
    let at = |text| At { value: text, place: place.clone(), sound: true };
    Some(texts?.into_iter().map(at).collect())
}

fn no_shell<T>(sign: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<T> {
    let place = reader.place_of(sign, &reader.place(value.span()));
    reader.add(
        Problem::new(&place, format!("no shell runs, so `{sign}` would be a mere argument"))
            .hint("run one: [\"sh\", \"-c\", \"…\"]. If it is meant as an argument, write a list"),
    );
    None
}
