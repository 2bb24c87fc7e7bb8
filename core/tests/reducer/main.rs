//! Tests of the reducer through its one door.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks out what it is about")]

mod contract;
mod forged;
mod host;
mod options;
mod requests;
mod resume;
mod rules;
mod scenarios;
mod serialised;
mod transitions;
