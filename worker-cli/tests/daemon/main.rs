//! The real daemon, as its clients meet it.

mod common;
mod concurrency;
mod description;
mod lock;
mod refusals;
mod service;
mod signals;
mod slots;
mod socket;
mod start;
mod versions;
