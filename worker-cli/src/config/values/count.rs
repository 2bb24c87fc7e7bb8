//! How many.

use toml::de::DeValue;

use super::schema;
use crate::config::setting::{Reader, Setting, Value};

/// A whole number of 1 or more.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Count(pub(in crate::config) u32);

schema!(Count, {"type": "integer", "minimum": 1, "maximum": u32::MAX});

impl Setting for Count {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match integer(value) {
            Some(number) => match u32::try_from(number) {
                Ok(count @ 1..) => Some(Self(count)),
                Ok(0) | Err(_) => {
                    reader.refuse(value, format!("the least is 1 and the most is {}", u32::MAX))
                }
            },
            None => reader.wrong_type(value, "a whole number"),
        }
    }
}

/// The value if it is a whole number; beyond 64 bits, it is as large or small as that.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    let DeValue::Integer(number) = value.get_ref() else { return None };
    let far = if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX };
    Some(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(far))
}
