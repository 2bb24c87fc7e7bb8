//! Texts and what is made of them: folders, variables, signals.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;
use worker_core::Signal;

use super::{Key, schema};
use crate::args::parse_stop_signal;
use crate::config::name::Name;
use crate::config::problem::Problem;
use crate::config::setting::{At, Reader, Setting, Value, printable};
use crate::config::suggest::closest;
use crate::config::text::{KNOWN, Text, Unknown};

schema!(Text, {"type": "string"});

impl Setting for Text {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, "a text");
        };
        placeholders(text, value, reader)
    }
}

/// The text with its placeholders; `value` is where it stands.
pub(super) fn placeholders(text: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Text> {
    if text.contains('\0') {
        return reader.refuse(value, "there is a NUL in this text, which no program can be given");
    }
    Text::parse(text).map_err(|unknown| reader.add(no_placeholder(&unknown, value, reader))).ok()
}

fn no_placeholder(Unknown(name): &Unknown, value: &Value<'_>, reader: &Reader<'_>) -> Problem {
    let place = reader.place_of(&format!("{{{name}}}"), &reader.place(value.span()));
    let problem = Problem::new(&place, format!("there is no placeholder {{{}}}", printable(name)));
    match closest(name, KNOWN) {
        Some(meant) => {
            problem.hint(format!("did you mean {{{meant}}}? To have it as it is: {{{{{name}}}}}"))
        }
        None => problem.hint(format!(
            "these are known: {{{}}}. To have it as it is: {{{{{name}}}}}",
            KNOWN.join("}, {")
        )),
    }
}

schema!(Name, {"type": "string", "pattern": crate::config::name::PATTERN});

impl Setting for Name {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, "a text");
        };
        Self::parse(text).map_or_else(|why| reader.refuse(value, why), Some)
    }
}

/// A path.
#[derive(Clone, Debug)]
pub(in crate::config) struct PathText(pub(in crate::config) Text);

schema!(PathText, {"type": "string", "minLength": 1});

impl Setting for PathText {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match Text::read(value, reader)? {
            empty if empty == Text::default() => {
                reader.refuse(value, "this path is empty; \".\" is the folder of this file")
            }
            text => Some(Self(text)),
        }
    }
}

/// Several settings, or one without the brackets of a list.
#[derive(Clone, Debug)]
pub(in crate::config) struct List<T>(pub(in crate::config) Vec<At<T>>);

impl<T: Setting> Setting for List<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(items) => {
                Some(Self(items.iter().filter_map(|item| reader.read(item)).collect()))
            }
            DeValue::String(_) => Some(Self(vec![reader.read(value)?])),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => reader.wrong_type(value, "a text or a list of texts"),
        }
    }
}

impl<T: Setting> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [inner, {"type": "array", "items": inner}]})
    }
}

/// The name of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) struct Variable(pub(in crate::config) String);

/// What we set ourselves in every child.
const OURS: [&str; 3] = ["WORKER_SLOT", "WORKER_RUN", "NOTIFY_SOCKET"];

impl Key for Variable {
    const PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_.-]*$";

    const REFUSED: &[&str] = &OURS;

    fn parse(text: &str) -> Result<Self, String> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if Self::REFUSED.contains(&text) {
            return Err("worker itself sets this variable".to_owned());
        }
        if begins_well && text.chars().all(is_fit) {
            return Ok(Self(text.to_owned()));
        }
        Err("the name of a variable holds letters, digits, `_`, `.` and `-`, and begins with no \
             digit"
            .to_owned())
    }
}

/// The signal that asks for an end.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct SignalName(pub(in crate::config) Signal);

schema!(SignalName, {
    "type": "string",
    "pattern": "^([sS][iI][gG])?[a-zA-Z][a-zA-Z0-9]*$",
    "examples": ["SIGTERM", "SIGINT"],
});

impl Setting for SignalName {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, "a text, the name of a signal such as \"SIGTERM\"");
        };
        parse_stop_signal(text).map_or_else(|why| reader.refuse(value, why), |it| Some(Self(it)))
    }
}
