//! What the allocator keeps of memory that was given back to it.

/// Keeps the heap of a process that lives for long small, from here on. For programs whose threads
/// seldom allocate at once. Does nothing with another C library than glibc.
///
/// glibc gives threads heaps of their own, and what one of them leaves free no other may use. And with
/// each large piece that is given back it keeps larger ones from then on, and twice as much that is
/// free at the end of the heap (`M_MMAP_THRESHOLD` in `mallopt(3)`): both stay what they are at first.
pub fn keep_heap_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const AT_FIRST: libc::c_int = 128 * 1024;
        let settings = [
            (libc::M_ARENA_MAX, 1),
            (libc::M_MMAP_THRESHOLD, AT_FIRST),
            (libc::M_TRIM_THRESHOLD, AT_FIRST),
        ];
        for (setting, value) in settings {
            // SAFETY: it only sets a number, under the allocator's own lock.
            unsafe { libc::mallopt(setting, value) };
        }
    }
}

/// Gives what is free back to the system, after much of it was in use for a while. Takes about a
/// millisecond for each 10 MB. Does nothing with another C library than glibc.
pub fn give_back_memory() {
    // SAFETY: it only looks at what is free, under the allocator's own lock (`malloc_trim(3)`).
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}
