//! Descriptors by their numbers: those that nobody here opened, and those that must not be kept.

use std::ffi::{c_int, c_uint};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::process::{Resource, getrlimit};

/// Where the kernel has no close_range(2), numbers from this one on are taken for unused: it gives the lowest first.
const MANY: u64 = 65_536;

/// Closes this number and all above it. It must be sure that nobody uses one of them: in a child that has a table of its own, or
/// before there are any.
pub(super) fn close_from(first: c_int) {
    let (from, to, flags): (c_uint, c_uint, c_uint) = (first.unsigned_abs(), c_uint::MAX, 0);
    // By its number: musl has no function for it. Linux 5.9.
    // SAFETY: it takes numbers and touches no memory; that nobody uses the descriptors is the caller's to know.
    if unsafe { libc::syscall(libc::SYS_close_range, from, to, flags) } != 0 {
        close_each(first);
    }
}

fn close_each(first: c_int) {
    let end = getrlimit(Resource::Nofile).current.unwrap_or(MANY).min(MANY);
    for number in first..c_int::try_from(end).unwrap_or(c_int::MAX) {
        // SAFETY: as above.
        unsafe { libc::close(number) };
    }
}

/// Closes everything from `end` on, or from the first gap before it, and lets nothing from `first` on reach a program that is executed.
pub(in crate::effect::process) fn keep_to_ourselves(first: c_int, end: c_int) {
    close_from(end);
    for number in first..end {
        // SAFETY: F_SETFD takes numbers and touches no memory.
        if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
            // It was not passed after all, nor is what comes behind it.
            return close_from(number);
        }
    }
}

/// Makes a copy under this number, in place of what is there, which ends with the program that runs now.
pub(super) fn move_to(number: c_int, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    if descriptor.as_raw_fd() == number {
        return Ok(());
    }
    // SAFETY: both are numbers; that nobody uses the second one is the caller's to know.
    match unsafe { libc::dup3(descriptor.as_raw_fd(), number, libc::O_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;
    use std::mem::ManuallyDrop;
    use std::os::fd::{AsFd, IntoRawFd};

    use super::*;
    use crate::effect::process::sys::own_descriptors;
    use crate::effect::watched;

    fn is_open(number: c_int) -> bool {
        // SAFETY: F_GETFD takes a number and touches no memory.
        unsafe { libc::fcntl(number, libc::F_GETFD) != -1 }
    }

    /// Closes by one way or the other, in a table of its own.
    fn closes(how: fn(c_int)) {
        let in_a_table_of_its_own = move || {
            // Both are closed here without their knowing.
            let null = ManuallyDrop::new(File::open("/dev/null").unwrap());
            let _kept = ManuallyDrop::new(own_descriptors(null.as_fd()).unwrap());
            let open: Vec<c_int> = (0..20).map(|_| File::open("/dev/null").unwrap().into_raw_fd()).collect();
            how(open[1]);
            let left: Vec<bool> = open.iter().map(|number| is_open(*number)).collect();
            assert!(left[0] && left[1..].iter().all(|open| !open), "{left:?}");
        };
        watched::thread("apart", in_a_table_of_its_own, drop).unwrap().join().unwrap();
    }

    #[test]
    fn what_is_kept_ends_at_the_first_gap() {
        closes(|second| keep_to_ourselves(second - 1, second));
        closes(|second| {
            // SAFETY: the table is this thread's own, and the number one of those that were just opened.
            unsafe { libc::close(second) };
            keep_to_ourselves(second - 1, c_int::MAX);
        });
    }

    #[test]
    fn all_from_a_number_on_are_closed_also_on_an_old_kernel() {
        closes(close_from);
        closes(close_each);
    }
}
