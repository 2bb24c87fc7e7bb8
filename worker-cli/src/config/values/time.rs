//! Durations.

use std::time::Duration;

use toml::de::DeValue;

use super::count::integer;
use super::schema;
use crate::config::setting::{Reader, Setting, Value};
use crate::duration::parse_duration;

/// A duration: `"250ms"`, `"1h 30m"`.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Time(pub(in crate::config) Duration);

/// How long a slot may be unused: a duration, 0 or "never".
#[derive(Clone, Copy, Debug)]
pub(in crate::config) enum Idle {
    After(Duration),
    Never,
}

/// A duration as `parse_duration` reads it, without the rarer names of units.
macro_rules! pattern {
    () => {
        "^[0-9]+(\\.[0-9]+)? ?(h|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|us)\
         ( ?[0-9]+(\\.[0-9]+)? ?(h|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|us))*$"
    };
}

schema!(Time, {"type": "string", "pattern": pattern!(), "examples": ["250ms", "5s", "1h 30m"]});
schema!(Idle, {
    "anyOf": [
        {"type": "string", "pattern": pattern!()},
        {"enum": ["never", 0]},
    ],
    "examples": ["15m", "never", 0],
});

impl Setting for Time {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        duration(value, reader, "a duration in quotes, such as \"5s\"").map(Self)
    }
}

impl Setting for Idle {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if value.get_ref().as_str() == Some("never") || integer(value) == Some(0) {
            return Some(Self::Never);
        }
        let wanted = "a duration in quotes, such as \"15m\", or 0, or \"never\"";
        let after = duration(value, reader, wanted)?;
        Some(if after.is_zero() { Self::Never } else { Self::After(after) })
    }
}

fn duration(value: &Value<'_>, reader: &mut Reader<'_>, wanted: &str) -> Option<Duration> {
    let DeValue::String(text) = value.get_ref() else { return reader.wrong_type(value, wanted) };
    match parse_duration(text) {
        Ok(duration) => Some(duration),
        Err(why) => reader.refuse(value, why),
    }
}
