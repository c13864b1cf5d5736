//! A program whose disk does not answer.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::until;

/// Chooses the signal that tells of somebody who waits (fcntl(2)); libc has no name for it.
const F_SETSIG: libc::c_int = 10;

/// A program that cannot be executed for as long as this lives: somebody has a lease on it (fcntl(2), `F_SETLEASE`).
pub(crate) struct Stuck(fs::File);

impl Stuck {
    pub(crate) fn new(path: &Path) -> Self {
        fs::copy("/bin/sleep", path).unwrap();
        let stuck = Self(fs::File::open(path).unwrap());
        // Otherwise a signal would come that ends this process.
        assert_eq!(stuck.fcntl(F_SETSIG, libc::SIGURG), 0);
        // A child that is just being started may have a copy of the descriptor that wrote it.
        until("it is leased", || (stuck.fcntl(libc::F_SETLEASE, libc::F_WRLCK) == 0).then_some(()));
        stuck
    }

    #[allow(unsafe_code, reason = "no safe form of leases is in any library here")]
    fn fcntl(&self, command: libc::c_int, argument: libc::c_int) -> libc::c_int {
        // SAFETY: these commands take a number and touch no memory.
        unsafe { libc::fcntl(self.0.as_raw_fd(), command, argument) }
    }

    /// Whether the kernel is at it.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.fcntl(libc::F_GETLEASE, 0) != libc::F_WRLCK
    }
}
