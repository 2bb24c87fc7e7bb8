//! Records as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{Line, LineEnd, Mark, MarkKind, Record};
use crate::events::rfc3339;

/// One record of `worker logs --json` and of `GET /v1/slots/{slot}/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LogLine {
    /// A line of output.
    Line {
        /// The slot by its name in full.
        slot: String,
        /// When it began: UTC with milliseconds.
        time: String,
        /// The run, counted from 1 within the slot.
        run: u64,
        /// `stdout`, `stderr` or `prepare`.
        stream: String,
        /// The text, without the newline. Bytes that are no UTF-8 are replaced by U+FFFD.
        line: String,
        /// The line was too long, and goes on in the next record of its run and stream.
        #[serde(default, skip_serializing_if = "is_false")]
        cut: bool,
    },
    /// Output that is missing here.
    Mark {
        /// The slot by its name in full.
        slot: String,
        /// When: UTC with milliseconds.
        time: String,
        /// `dropped`, `gone` or `damaged`.
        mark: String,
        /// How many bytes.
        bytes: u64,
    },
}

impl LogLine {
    /// A record of this slot.
    #[must_use]
    pub fn new(slot: &str, record: &Record) -> Self {
        let (slot, time) = (slot.to_owned(), rfc3339(record.time()));
        match record {
            Record::Line(Line { run, stream, bytes, end, .. }) => Self::Line {
                slot,
                time,
                run: *run,
                stream: stream.name().to_owned(),
                line: String::from_utf8_lossy(bytes).into_owned(),
                cut: *end == LineEnd::Cut,
            },
            Record::Mark(Mark { kind, .. }) => {
                let (mark, bytes) = match *kind {
                    MarkKind::Dropped { bytes } => ("dropped", bytes),
                    MarkKind::Gone { bytes } => ("gone", bytes),
                    MarkKind::Damaged { bytes } => ("damaged", bytes),
                };
                Self::Mark { slot, time, mark: mark.to_owned(), bytes }
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
