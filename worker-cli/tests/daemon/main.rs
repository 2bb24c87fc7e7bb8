//! The real daemon, as its clients meet it.

mod churn;
mod clock;
mod common;
mod concurrency;
mod depends;
mod description;
#[path = "../../../platform-unix/tests/support/dispositions.rs"]
mod dispositions;
mod env;
#[path = "../support/eventually.rs"]
mod eventually;
mod full_disk;
#[cfg(target_os = "linux")]
mod hung_disk;
mod idle;
mod limits;
mod lock;
mod ports;
mod prepare;
mod refusals;
mod restart_of_daemon;
#[path = "../support/script.rs"]
mod script;
mod service;
mod shop;
mod signals;
mod slots;
mod socket;
mod start;
mod up;
mod versions;
mod why;
