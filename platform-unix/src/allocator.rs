//! What the allocator keeps of memory that was given back to it.

/// Keeps the heap of a process that lives for long in one piece, from here on: glibc gives threads
/// heaps of their own, and what one of them leaves free no other may use (`mallopt(3)`). For programs
/// whose threads seldom allocate at once. Does nothing with another C library.
pub fn share_heap() {
    // SAFETY: it only sets a number, under the allocator's own lock.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
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
