//! What can be switched off where `[defaults]` or a shared file switch it on.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::config::setting::{Reader, Setting, Value};

/// A setting, or "none".
#[derive(Clone, Debug)]
pub(in crate::config) enum OrNone<T> {
    None,
    Some(T),
}

impl<T: Setting> Setting for OrNone<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if value.get_ref().as_str() == Some("none") {
            return Some(Self::None);
        }
        T::read(value, reader).map(Self::Some)
    }

    fn over(self, below: Self) -> Self {
        match (self, below) {
            (Self::Some(upper), Self::Some(below)) => Self::Some(upper.over(below)),
            (upper, _) => upper,
        }
    }
}

impl<T: Setting> JsonSchema for OrNone<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OrNone{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [inner, {"const": "none"}]})
    }
}
