//! Lists of texts as execve(2) takes them.

use std::ffi::{CString, c_char};
use std::ptr;

/// Pointers to the strings, of which the last one is null. They are good as long as the strings are.
pub(crate) fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}
