//! The smallest program that tells when it begins: it writes its process id to stdout and sleeps.
//!
//! A program of any language would begin with its loader and its runtime, which would be counted
//! on both sides and hide the difference between them.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

const LOAD_ADDRESS: u64 = 0x40_0000;
const HEADER_SIZE: u16 = 64;
const SEGMENT_HEADER_SIZE: u16 = 56;

/// `write(1, &getpid(), 8)`, then `pause()` for ever.
#[rustfmt::skip]
const X86_64: [u8; 40] = [
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

/// The program as a file, if it is written for this machine.
pub(crate) fn image() -> Option<Vec<u8>> {
    cfg!(target_arch = "x86_64").then(|| elf(&X86_64))
}

/// Writes the program into a folder.
pub(crate) fn install(image: &[u8], folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("first-instruction");
    let _ = fs::remove_file(&path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path)?;
    file.write_all(image)?;
    Ok(path)
}

/// Waits for the first instruction of the next process.
pub(crate) fn first_instruction(mut stdout: impl Read) -> io::Result<Pid> {
    let mut pid = [0; 8];
    stdout.read_exact(&mut pid)?;
    let pid = i32::try_from(u64::from_ne_bytes(pid)).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other("the program wrote no process id"))
}

/// A static executable of one segment, as `elf(5)` describes it.
fn elf(code: &[u8]) -> Vec<u8> {
    let headers = HEADER_SIZE + SEGMENT_HEADER_SIZE;
    let size = u64::from(headers) + code.len() as u64;
    let mut image = Vec::new();
    // e_ident: magic, 64 bits, little endian, version 1.
    image.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // e_type ET_EXEC, e_machine EM_X86_64, e_version.
    image.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    // e_entry, e_phoff, e_shoff, e_flags.
    image.extend((LOAD_ADDRESS + u64::from(headers)).to_le_bytes());
    image.extend(u64::from(HEADER_SIZE).to_le_bytes());
    image.extend([0; 8 + 4]);
    // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    for half in [HEADER_SIZE, SEGMENT_HEADER_SIZE, 1, 0, 0, 0] {
        image.extend(half.to_le_bytes());
    }
    // p_type PT_LOAD, p_flags R+X.
    image.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
    for word in [0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 0x1000] {
        image.extend(word.to_le_bytes());
    }
    image.extend(code);
    image
}
