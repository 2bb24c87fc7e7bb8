//! The smallest programs there can be. Those of any language begin with a loader and a runtime,
//! which would be counted on both sides and hide the difference between them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const LOAD_ADDRESS: u64 = 0x40_0000;
const HEADER_SIZE: u16 = 64;
const SEGMENT_HEADER_SIZE: u16 = 56;

/// Writes machine code of x86_64 where the benches have their files, as a program. None if this machine
/// is another one, which is said.
pub(crate) fn install(code: &[u8], name: &str) -> io::Result<Option<PathBuf>> {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: the program is written in the machine code of x86_64");
        return Ok(None);
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path)?;
    file.write_all(&elf(code))?;
    Ok(Some(path))
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
