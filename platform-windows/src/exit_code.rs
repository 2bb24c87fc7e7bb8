//! What exit codes mean on Windows.

use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_ACCESS_VIOLATION, STATUS_BREAKPOINT, STATUS_CONTROL_C_EXIT,
    STATUS_FLOAT_DIVIDE_BY_ZERO, STATUS_FLOAT_INVALID_OPERATION, STATUS_ILLEGAL_INSTRUCTION,
    STATUS_INTEGER_DIVIDE_BY_ZERO, STATUS_INTEGER_OVERFLOW, STATUS_PRIVILEGED_INSTRUCTION,
    STATUS_STACK_BUFFER_OVERRUN, STATUS_STACK_OVERFLOW,
};
use worker_core::{Exit, Signal};

/// The exit code of a leader that we terminated. Bit 29 is reserved for codes of applications, so
/// Windows itself gives it to nobody; the rest spells "WK" and SIGKILL's number.
pub(crate) const TERMINATED: u32 = 0xE057_4B09;

/// How a process that ended with this code ended: by a signal where Windows has a status that means
/// the same, and with the code otherwise.
///
/// The codes are those of `ntstatus.h`. `STATUS_STACK_BUFFER_OVERRUN` is how `abort` and a fast fail
/// end a process.
#[must_use]
pub const fn exit_from_code(code: u32) -> Exit {
    if code == TERMINATED {
        return Exit::Signal(Signal::Kill);
    }
    let status: NTSTATUS = code.cast_signed();
    let signal = match status {
        STATUS_CONTROL_C_EXIT => Signal::Int,
        STATUS_ACCESS_VIOLATION | STATUS_STACK_OVERFLOW => Signal::Segv,
        STATUS_STACK_BUFFER_OVERRUN => Signal::Abrt,
        STATUS_ILLEGAL_INSTRUCTION | STATUS_PRIVILEGED_INSTRUCTION => Signal::Ill,
        STATUS_INTEGER_DIVIDE_BY_ZERO
        | STATUS_INTEGER_OVERFLOW
        | STATUS_FLOAT_DIVIDE_BY_ZERO
        | STATUS_FLOAT_INVALID_OPERATION => Signal::Fpe,
        STATUS_BREAKPOINT => Signal::Trap,
        _ => return Exit::Code(status),
    };
    Exit::Signal(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_program_stays_a_code() {
        for (code, exit) in [(0, 0), (3, 3), (u32::MAX, -1), (0xC000_0001, -1_073_741_823)] {
            assert_eq!(exit_from_code(code), Exit::Code(exit));
        }
    }

    #[test]
    fn a_status_of_the_system_is_the_signal_that_means_the_same() {
        let signals = [
            (0xC000_0005, Signal::Segv),
            (0xC000_013A, Signal::Int),
            (0xC000_0409, Signal::Abrt),
            (0x8000_0003, Signal::Trap),
            (TERMINATED, Signal::Kill),
        ];
        for (code, signal) in signals {
            assert_eq!(exit_from_code(code), Exit::Signal(signal));
        }
    }
}
