//! A program that tells when it begins: it writes its process id to stdout and sleeps.

use std::io::{self, Read};

use rustix::process::Pid;

/// `write(1, &getpid(), 8)`, then `pause()` for ever.
#[rustfmt::skip]
pub(crate) const X86_64: [u8; 40] = [
    0xb8, 39, 0, 0, 0,          // mov  eax, SYS_getpid
    0x0f, 0x05,                 // syscall
    0x50,                       // push rax
    0xb8, 1, 0, 0, 0,           // mov  eax, SYS_write
    0xbf, 1, 0, 0, 0,           // mov  edi, 1
    0x48, 0x89, 0xe6,           // mov  rsi, rsp
    0xba, 8, 0, 0, 0,           // mov  edx, 8
    0x0f, 0x05,                 // syscall
    0xb8, 34, 0, 0, 0,          // mov  eax, SYS_pause
    0x0f, 0x05,                 // syscall
    0xeb, 0xf7,                 // jmp  to the last mov
    0x90, 0x90, 0x90,           // nop
];

/// Waits for the first instruction of the next process.
pub(crate) fn first_instruction(mut stdout: impl Read) -> io::Result<Pid> {
    let mut pid = [0; 8];
    stdout.read_exact(&mut pid)?;
    let pid = i32::try_from(u64::from_ne_bytes(pid)).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other("the program wrote no process id"))
}
