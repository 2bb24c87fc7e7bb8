//! The child's side: what a program does that was started as a shim.

use std::ffi::{CString, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};
use std::os::unix::ffi::OsStringExt;

use rustix::io::{FdFlags, fcntl_setfd};

use super::report::{Step, word};
use crate::c_strings::pointers;
use crate::mask::unblock_and_forget_stops;

/// By hand, or by a version that speaks otherwise.
const NOT_UNDERSTOOD: i32 = 2;
/// As a shell says it of a command that it cannot execute.
const NOT_EXECUTED: i32 = 126;

/// Returns only if there is nothing to execute, or if that fails.
pub(super) fn carry_out(mut words: impl Iterator<Item = OsString>) -> i32 {
    let (Some(mut report), Some(entrance)) = (words.next().and_then(report), words.next()) else {
        let message = b"this word is not for you: it is how a supervisor starts its processes\n";
        let _ = io::stderr().write_all(message);
        return NOT_UNDERSTOOD;
    };
    let entered = OpenOptions::new().write(true).open(entrance);
    if let Err(error) = entered.and_then(|mut entrance| entrance.write_all(b"0")) {
        let _ = report.write_all(&word(Step::Enter, &error));
    }
    match Program::from_words(words) {
        Some(program) => {
            let _ = report.write_all(&word(Step::Execute, &program.execute()));
            NOT_EXECUTED
        }
        None => {
            drop(report);
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            0
        }
    }
}

/// Takes the pipe over, and has it closed in the program.
fn report(number: OsString) -> Option<File> {
    let number = number.to_str()?.parse().ok().filter(|&number: &RawFd| number > 2)?;
    // SAFETY: borrowed for a call that tolerates a closed descriptor (EBADF), and that neither
    // reads, writes nor closes it.
    fcntl_setfd(unsafe { BorrowedFd::borrow_raw(number) }, FdFlags::CLOEXEC).ok()?;
    // SAFETY: the descriptor is open, and nothing else in this process knows its number.
    Some(unsafe { File::from_raw_fd(number) })
}

/// What is to be executed.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    /// The program itself first.
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    /// Program, number of variables, variables, arguments.
    fn from_words(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let program = words.next()?;
        let count: usize = words.next()?.to_str()?.parse().ok()?;
        let env = words.by_ref().take(count).map(c_string).collect::<Option<_>>()?;
        let argv = std::iter::once(program).chain(words).map(c_string).collect::<Option<_>>()?;
        Some(Self { argv, env })
    }

    /// std would go by `execvp`, which has a shell interpret what is no program.
    fn execute(&self) -> io::Error {
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        // SAFETY: no handler of ours is installed. std ignores SIGPIPE in this process alone.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        unblock_and_forget_stops();
        // SAFETY: both lists end with a null pointer, and their strings live on in `self`.
        unsafe { libc::execve(argv[0], argv.as_ptr(), env.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// A word of the command line holds no NUL.
fn c_string(word: OsString) -> Option<CString> {
    CString::new(word.into_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_are_counted_so_that_arguments_may_look_like_them() {
        let words = ["/bin/x", "1", "A=b", "C=d"].map(OsString::from);
        let program = Program::from_words(words.into_iter()).unwrap();
        assert_eq!(program.env, [c"A=b".to_owned()]);
        assert_eq!(program.argv, [c"/bin/x".to_owned(), c"C=d".to_owned()]);
    }

    #[test]
    fn a_pipe_that_is_not_there_is_none() {
        for number in ["", "x", "-1", "0", "2", "9999"] {
            assert!(report(number.into()).is_none(), "{number}");
        }
    }
}
