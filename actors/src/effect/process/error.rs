//! Why the process executor could not begin.

use std::io;
use std::path::PathBuf;

/// Why the process executor could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ProcessesError {
    /// There is one already in this process; each would take the other's children.
    #[error("the process executor runs already; one process can have only one")]
    AlreadyRunning,
    /// Log files cannot be written.
    #[error("the log directory {path} cannot be written: {why}")]
    LogDirectory {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        why: io::Error,
    },
    /// Notification sockets cannot be made.
    #[error("the run directory {path} cannot be written: {why}")]
    RunDirectory {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        why: io::Error,
    },
    /// Nobody could hold what services print.
    #[error("a process may have {limit} files open, and so many services need {needed}")]
    TooFewOpenFiles {
        /// How many there may be.
        limit: u64,
        /// How many are needed.
        needed: u64,
    },
    /// The kernel refused something that mainstay cannot do without.
    #[error("mainstay cannot {what}: {why}")]
    Kernel {
        /// What was asked, in words that stand after "cannot".
        what: &'static str,
        /// What the kernel said.
        why: io::Error,
    },
}
