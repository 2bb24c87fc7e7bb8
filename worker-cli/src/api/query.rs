//! What stands after the `?` of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/slots`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlotsQuery {
    /// Only the slots of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// `GET /v1/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Only those of this slot, by its name in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Only those of the slots of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Go on with those that are still to come. Without `Last-Event-ID`: with these alone.
    pub follow: bool,
}

/// `GET /v1/slots/{slot}/logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogsQuery {
    /// Only so many lines, the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Only lines from this time on: UTC, as `2026-11-22T07:00:00Z`, or how long ago, as `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only those of the run before the latest.
    pub previous: bool,
    /// Only those of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Only lines that this regular expression matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grep: Option<String>,
    /// Go on with those that are still to come.
    pub follow: bool,
}

impl Default for EventsQuery {
    fn default() -> Self {
        Self { slot: None, project: None, follow: true }
    }
}
