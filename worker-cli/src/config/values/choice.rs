//! One of a few words.

use std::borrow::Cow;

use clap::ValueEnum;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use crate::config::problem::Problem;
use crate::config::setting::{Reader, Setting, Value, printable};
use crate::config::suggest::closest;

/// One of the words of `T`, which the command line knows too.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Choice<T>(pub(in crate::config) T);

/// Whose answer counts as readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::config) enum Owner {
    /// That of a process of the slot itself
    Own,
    /// Anybody's, such as that of a container's proxy
    Any,
}

impl<T: ValueEnum + Clone> Setting for Choice<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let known = words::<T>();
        let wanted = format!("one of {}", quoted(&known));
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, &wanted);
        };
        if let Ok(choice) = T::from_str(text, false) {
            return Some(Self(choice));
        }
        let problem = Problem::new(
            &reader.place(value.span()),
            format!("`{}` is not {wanted}", printable(text)),
        );
        reader.add(match closest(text, known.iter().map(String::as_str)) {
            Some(meant) => problem.hint(format!("did you mean \"{meant}\"?")),
            None => problem,
        });
        None
    }
}

impl<T: ValueEnum> JsonSchema for Choice<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Choice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"enum": words::<T>()})
    }
}

fn words<T: ValueEnum>() -> Vec<String> {
    let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    names.map(|name| name.get_name().to_owned()).collect()
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
