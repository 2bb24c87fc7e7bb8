//! Tables whose keys are names that the user gives.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use crate::config::name::{self, Name};
use crate::config::problem::Problem;
use crate::config::setting::{At, Reader, Setting, Value, printable};

/// Settings by name. A setting that cannot be read is there, but not sound, so that its name is
/// known.
#[derive(Clone, Debug)]
pub(in crate::config) struct Map<K, T>(pub(in crate::config) BTreeMap<K, At<T>>);

/// What the names of a [`Map`] must be like.
pub(in crate::config) trait Key: Clone + Ord {
    /// The same for JSON Schema.
    const PATTERN: &str;

    /// What fits the pattern and is refused all the same.
    const REFUSED: &[&str] = &[];

    /// Checks a name.
    fn parse(text: &str) -> Result<Self, String>;
}

impl Key for Name {
    const PATTERN: &str = name::PATTERN;

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl<K: Key, T: Setting + Default> Setting for Map<K, T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return reader.wrong_type(value, "a table");
        };
        let mut read = BTreeMap::new();
        for (key, value) in table {
            let place = reader.place(key.span());
            let setting = reader.read(value);
            let unreadable = At { value: T::default(), place: place.clone(), sound: false };
            match K::parse(key.get_ref()) {
                Ok(name) => drop(read.insert(name, setting.unwrap_or(unreadable))),
                Err(why) => {
                    let text = printable(key.get_ref());
                    reader.add(Problem::new(&place, format!("bad name `{text}`")).hint(why));
                }
            }
        }
        Some(Self(read))
    }

    fn over(self, below: Self) -> Self {
        let mut all = below.0;
        for (name, upper) in self.0 {
            let setting = match all.remove(&name) {
                Some(below) => upper.over(below),
                None => upper,
            };
            all.insert(name, setting);
        }
        Self(all)
    }
}

impl<K: Key, T: Setting> JsonSchema for Map<K, T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<T>();
        let mut names = serde_json::json!({"pattern": K::PATTERN});
        if !K::REFUSED.is_empty() {
            names["not"] = serde_json::json!({"enum": K::REFUSED});
        }
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": inner,
            "propertyNames": names,
        })
    }
}
