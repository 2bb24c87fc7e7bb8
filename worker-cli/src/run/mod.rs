//! `worker run`.

mod ending;

pub use self::ending::{Ending, Story};
