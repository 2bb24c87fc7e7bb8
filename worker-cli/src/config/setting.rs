//! From TOML values with places to typed settings, and what every setting can do.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::source::{Place, Source};
use super::suggest::closest;

/// A value of the file and where it stands.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// What can be set. The same declaration makes the parser and the JSON Schema.
pub(super) trait Setting: Clone + JsonSchema {
    /// Reads the value. None if it is bad; then the reader was told why.
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// This setting where `below` would hold without it. Only tables have more to do.
    fn over(self, below: Self) -> Self {
        drop(below);
        self
    }
}

/// A setting and where it was made.
#[derive(Clone, Debug, Default)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
    /// Whether all of it could be read. What is not sound is not looked at any further, since a
    /// second error would only follow from the first.
    pub(super) sound: bool,
}

/// Reads the values of one file, and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) file: usize,
    pub(super) source: &'a Source,
    pub(super) problems: &'a mut Problems,
}

impl<T: Setting> At<T> {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            value: self.value.over(below.value),
            place: self.place,
            sound: self.sound && below.sound,
        }
    }

    /// The upper one of two settings that may each be missing.
    pub(super) fn either(upper: Option<Box<Self>>, below: Option<Box<Self>>) -> Option<Box<Self>> {
        match (upper, below) {
            (Some(upper), Some(below)) => Some(Box::new(upper.over(*below))),
            (upper, below) => upper.or(below),
        }
    }
}

impl Reader<'_> {
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file, span }
    }

    /// The part of a value where `text` is written; the whole value if it is written otherwise.
    pub(super) fn place_of(&self, text: &str, within: &Place) -> Place {
        narrowed(self.source, text, within)
    }

    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.add(problem);
    }

    /// Says what is wrong with a value.
    pub(super) fn refuse<T>(&mut self, value: &Value<'_>, message: impl Into<String>) -> Option<T> {
        let place = self.place(value.span());
        self.add(Problem::new(&place, message));
        None
    }

    /// Says that a value is of the wrong type.
    pub(super) fn wrong_type<T>(&mut self, value: &Value<'_>, wanted: &str) -> Option<T> {
        let found = kind(value.get_ref());
        let problem = Problem::new(
            &self.place(value.span()),
            format!("this is {found}, and it must be {wanted}"),
        );
        let quoted = match value.get_ref() {
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Float(number) => Some(number.to_string()),
            DeValue::Boolean(value) => Some(value.to_string()),
            DeValue::Datetime(time) => Some(time.to_string()),
            DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        };
        let hint = quoted.filter(|_| wanted.starts_with("a text"));
        self.add(match hint {
            Some(text) => problem.hint(format!("put it in quotes: \"{text}\"")),
            None => problem,
        });
        None
    }

    pub(super) fn read<T: Setting>(&mut self, value: &Value<'_>) -> Option<At<T>> {
        let before = self.problems.count();
        let place = self.place(value.span());
        let value = T::read(value, self)?;
        Some(At { value, place, sound: self.problems.count() == before })
    }

    /// A table that has no other keys than these.
    pub(super) fn table<'v, 'i>(
        &mut self,
        value: &'v Value<'i>,
        keys: &[&str],
    ) -> Option<&'v DeTable<'i>> {
        let DeValue::Table(table) = value.get_ref() else {
            let wanted = format!("a table with keys such as `{}`", keys[0]);
            return self.wrong_type(value, &wanted);
        };
        for key in table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            self.unknown_key(key, keys);
        }
        Some(table)
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, keys: &[&str]) {
        let problem = Problem::new(
            &self.place(key.span()),
            format!("there is no key `{}` here", printable(key.get_ref())),
        );
        self.add(match closest(key.get_ref(), keys.iter().copied()) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
            None => problem.hint(format!("these are known: {}", keys.join(", "))),
        });
    }

    pub(super) fn field<T: Setting>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<Box<At<T>>> {
        self.read(table.get(key)?).map(Box::new)
    }
}

/// The part of a place where `text` is written; the whole place if it is written otherwise.
pub(super) fn narrowed(source: &Source, text: &str, within: &Place) -> Place {
    let written = source.text.get(within.span.clone()).unwrap_or_default();
    written.find(text).map_or_else(
        || within.clone(),
        |at| {
            let start = within.span.start + at;
            Place { file: within.file, span: start..start + text.len() }
        },
    )
}

/// A text of the user that may stand in a message: without control signs, and not endless.
pub(super) fn printable(text: &str) -> String {
    const MOST: usize = 40;
    let mut printable: String = text.chars().take(MOST).collect();
    if text.chars().count() > MOST {
        printable.push('…');
    }
    let is_bad = |c: char| c.is_control();
    if printable.contains(is_bad) { printable.escape_debug().to_string() } else { printable }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The schema of a table: its keys with what they are for, and no others.
pub(super) fn table_schema(
    purpose: &str,
    fields: impl IntoIterator<Item = (&'static str, &'static str, Schema)>,
) -> Schema {
    let properties: serde_json::Map<String, serde_json::Value> = fields
        .into_iter()
        .map(|(key, purpose, mut schema)| {
            schema.insert("description".to_owned(), purpose.trim().into());
            (key.to_owned(), schema.to_value())
        })
        .collect();
    schemars::json_schema!({
        "description": purpose.trim(),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// At most one of these keys. That one is there cannot be asked of a table that may be completed
/// by another one.
pub(super) fn at_most_one(schema: &mut Schema, keys: &[&str]) {
    if keys.is_empty() {
        return;
    }
    let has = |key: &&str| serde_json::json!({"required": [key]});
    let each: Vec<_> = keys.iter().map(has).collect();
    let none = serde_json::json!({"not": {"anyOf": each}});
    let one_of: Vec<_> = each.iter().cloned().chain([none]).collect();
    schema.insert("oneOf".to_owned(), one_of.into());
}

pub(super) fn schema_of<T: Setting>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Declares a table: a struct with an optional field for each key (in a box, since most are missing), its parser, its schema, and how
/// it lies over another one. Of the keys under `one_of`, a table has at most one, and it replaces
/// whichever of them the table below has.
macro_rules! table {
    (
        $(#[doc = $purpose:literal])*
        $name:ident {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty,)*
        }
        one_of($($one:ident),*)
    ) => {
        $(#[doc = $purpose])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $name {
            $($(#[doc = $doc])* pub(super) $field: Option<Box<$crate::config::setting::At<$type>>>,)*
        }

        impl $name {
            /// The keys of which it may have one.
            pub(super) const ONE_OF: &[&str] = &[$(stringify!($one)),*];

            /// Where those of them stand that it has.
            pub(super) fn choices(&self) -> Vec<&$crate::config::source::Place> {
                let choices: Vec<Option<&$crate::config::source::Place>> =
                    vec![$(self.$one.as_ref().map(|setting| &setting.place)),*];
                choices.into_iter().flatten().collect()
            }
        }

        impl $crate::config::setting::Setting for $name {
            fn read(
                value: &$crate::config::setting::Value<'_>,
                reader: &mut $crate::config::setting::Reader<'_>,
            ) -> Option<Self> {
                let table = reader.table(value, &[$(stringify!($field)),*])?;
                let read = Self { $($field: reader.field(table, stringify!($field)),)* };
                reader.check_choices(&read.choices(), Self::ONE_OF);
                Some(read)
            }

            fn over(self, below: Self) -> Self {
                let chosen = !self.choices().is_empty();
                let below = if chosen { Self { $($one: None,)* ..below } } else { below };
                Self { $($field: $crate::config::setting::At::either(self.$field, below.$field),)* }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let fields = [$((
                    stringify!($field),
                    concat!($($doc),*),
                    $crate::config::setting::schema_of::<$type>(generator),
                )),*];
                let purpose = concat!($($purpose),*);
                let mut schema = $crate::config::setting::table_schema(purpose, fields);
                $crate::config::setting::at_most_one(&mut schema, Self::ONE_OF);
                schema
            }
        }
    };
    ($(#[doc = $purpose:literal])* $name:ident { $($fields:tt)* }) => {
        $crate::config::setting::table! { $(#[doc = $purpose])* $name { $($fields)* } one_of() }
    };
}
pub(super) use table;

impl Reader<'_> {
    /// Of keys that exclude each other there may be one.
    pub(super) fn check_choices(&mut self, chosen: &[&Place], keys: &[&str]) {
        let [first, second, ..] = chosen else { return };
        let keys = keys.join(", ");
        self.add(
            Problem::new(second, format!("there can be only one of {keys}"))
                .also(first, "the other one")
                .hint("remove one of them"),
        );
    }
}
