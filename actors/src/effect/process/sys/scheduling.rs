//! How this process is scheduled, by the system calls: musl knows the one only to refuse it, and no library has the other.

use std::ffi::{c_int, c_long};
use std::io;

/// `IOPRIO_WHO_PROCESS` of the kernel's include/uapi/linux/ioprio.h.
const WHO_PROCESS: c_int = 1;
/// `IOPRIO_CLASS_NONE`: as its nice value says.
const CLASS_NONE: c_int = 0;

/// The calling thread gets processor and disk like any other. Before there is another thread, that is this process.
pub(in crate::effect::process) fn be_scheduled_as_others() -> io::Result<()> {
    const THIS: c_int = 0;
    // SAFETY: it takes a number.
    let class = unsafe { libc::syscall(libc::SYS_sched_getscheduler, THIS) };
    if class != c_long::from(libc::SCHED_OTHER) {
        let priority: c_int = 0;
        // SAFETY: it reads one `struct sched_param`, which is one number.
        accepted(unsafe { libc::syscall(libc::SYS_sched_setscheduler, THIS, libc::SCHED_OTHER, &raw const priority) })?;
    }
    // SAFETY: it takes three numbers.
    let disk = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, THIS, CLASS_NONE) };
    match accepted(disk) {
        // A kernel without block devices, or a filter of system calls, which lets nobody have another class either.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS)) => Ok(()),
        given => given,
    }
}

fn accepted(answer: c_long) -> io::Result<()> {
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
