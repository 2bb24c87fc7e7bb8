//! The kinds of values that keys have: one file for each.

mod choice;
mod count;
mod map;
mod off;
mod ports;
mod probe;
mod size;
mod text;
mod time;
mod words;

pub(super) use self::choice::{Choice, Owner};
pub(super) use self::count::Count;
pub(super) use self::map::{Key, Map};
pub(super) use self::off::OrNone;
pub(super) use self::ports::Ports;
pub(super) use self::probe::{HttpTarget, LogPattern, TcpTarget, Yes};
pub(super) use self::size::Size;
pub(super) use self::text::{List, PathText, SignalName, Variable};
pub(super) use self::time::{Idle, Time};
pub(super) use self::words::{OptionalWords, Words};

/// Gives a setting its schema, written in place.
macro_rules! schema {
    ($type:ty, $($json:tt)+) => {
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($($json)+)
            }
        }
    };
}
use schema;
