//! What readiness and liveness probes look at.

use regex_lite::Regex;
use toml::de::DeValue;

use super::count::integer;
use super::schema;
use crate::config::setting::{Reader, Setting, Value};
use crate::config::text::{Text, Values};
use crate::probe::{Probe, parse_http, parse_log, parse_port};

/// A path, with a port before it or without: `/health`, `:3000/health`, `:{port+1}/health`.
#[derive(Clone, Debug)]
pub(in crate::config) struct HttpTarget(pub(in crate::config) Text);

/// The first port of the slot: `true`, or another one: `3000`, `"{port+1}"`.
#[derive(Clone, Debug)]
pub(in crate::config) struct TcpTarget(pub(in crate::config) Option<Text>);

/// A regular expression for a line.
#[derive(Clone, Debug)]
pub(in crate::config) struct LogPattern(pub(in crate::config) Regex);

/// `true`.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Yes;

schema!(HttpTarget, {
    "type": "string",
    "pattern": "^(/|:([0-9]{1,5}|\\{port(\\+[0-9]+)?\\})(/|$))[^\\s]*$",
    "examples": ["/health", ":{port+1}/health"],
});
schema!(TcpTarget, {
    "anyOf": [
        {"const": true},
        {"type": "integer", "minimum": 1, "maximum": u16::MAX},
        {"type": "string", "pattern": "^:?([0-9]{1,5}|\\{port(\\+[0-9]+)?\\})$"},
    ],
    "examples": [true, "{port+1}"],
});
schema!(LogPattern, {"type": "string", "minLength": 1, "format": "regex"});
schema!(Yes, {"const": true});

/// For a first look at a text whose placeholders have no values yet.
const SAMPLE: Values<'static> =
    Values { project: "project", slot: "slot", id: "id", dir: "/", first_port: 1 };

impl Setting for HttpTarget {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Text::read(value, reader)?;
        match parse_http(&text.expand(SAMPLE)) {
            Ok(_) => Some(Self(text)),
            Err(why) => reader.refuse(value, why),
        }
    }
}

impl HttpTarget {
    /// Whether it asks at the first port of the slot, without naming it.
    pub(in crate::config) fn needs_ports(&self) -> bool {
        matches!(parse_http(&self.0.expand(SAMPLE)), Ok(Probe::Http { port: None, .. }))
    }
}

impl Setting for TcpTarget {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(true) => Some(Self(None)),
            DeValue::Integer(_) => match integer(value).map(u16::try_from) {
                Some(Ok(port @ 1..)) => Some(Self(Some(Text::literal(port.to_string())))),
                _ => reader.refuse(value, "a port is a number from 1 to 65535"),
            },
            DeValue::String(_) => tcp_text(value, reader),
            DeValue::Boolean(false)
            | DeValue::Float(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                reader.wrong_type(value, "true, a port, or a text such as \"{port+1}\"")
            }
        }
    }
}

fn tcp_text(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<TcpTarget> {
    let text = Text::read(value, reader)?;
    let port = |text: &Text| parse_port(&text.expand(SAMPLE));
    match port(&text) {
        Ok(_) => Some(TcpTarget(Some(text))),
        Err(why) => reader.refuse(value, why),
    }
}

impl Setting for LogPattern {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, "a text, the regular expression for a line");
        };
        match parse_log(text) {
            Ok(pattern) => Some(Self(pattern)),
            Err(why) => reader.refuse(value, why),
        }
    }
}

impl Setting for Yes {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref().as_bool() {
            Some(true) => Some(Self),
            Some(false) => reader.refuse(value, "leave this out instead"),
            None => reader.wrong_type(value, "true"),
        }
    }
}
