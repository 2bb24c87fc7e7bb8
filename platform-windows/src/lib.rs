//! The platform traits of `worker-core` on Windows.
