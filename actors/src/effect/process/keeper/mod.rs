//! The log-keeper: a process of its own that writes what services print into rotating files.
//!
//! Services survive mainstay, so their output must not go into a pipe that dies with it. mainstay gives the keeper the reading
//! end of each run's pipe (`wire`, `outputs`), and starts another when it dies (`life`) or does not read (`watch`); the keeper drains them (`intake`), and a
//! thread of it writes (`writer`, `file`, `line`) from a bounded queue (`queue`). A disk that is full or slow costs lines, which are counted, and never holds up a
//! service. When mainstay dies the keeper goes on until every pipe has ended.

mod file;
mod follow;
mod intake;
pub(super) mod life;
mod line;
pub(super) mod outputs;
mod pauses;
mod queue;
pub(super) mod report;
mod watch;
pub(super) mod wire;
mod writer;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use mainstay_config::names::ServiceName;

use super::sys;
pub use follow::{Added, Follower, Gap, LogEnd, OLDER_MAX, open, rotated};
pub use line::unfinished;
pub(crate) use line::{HEAD as LINE_HEAD, goes_on};
pub use report::LogTroubles;

/// The only argument that a program is started with as the log-keeper.
pub const COMMAND: &str = "log-keeper";

/// Why the log-keeper could not begin.
#[derive(Debug, thiserror::Error)]
#[error("the log-keeper cannot {what}: {why}; it is started by mainstay and of no use by itself")]
pub struct KeeperError {
    what: &'static str,
    why: io::Error,
}

/// The file into which the output of a service goes. Older parts are beside it with `.1`, `.2`, … at the end.
#[must_use]
pub fn log_path(log_dir: &Path, service: &ServiceName) -> PathBuf {
    log_dir.join(format!("{service}.log"))
}

/// The socket that mainstay gives its keeper as standard input.
///
/// # Errors
/// When there are no descriptors left.
pub fn socket_from_stdin() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}

/// The whole life of `mainstay log-keeper`: returns when mainstay is gone and every pipe has ended.
///
/// # Errors
/// When the kernel refuses what it needs to begin.
pub fn log_keeper_main(socket: OwnedFd) -> Result<(), KeeperError> {
    // The kernel calls it after the link by which it was executed; for whoever lists processes it is one of mainstay's.
    let _ = rustix::thread::set_name(c"mainstay");
    // It was born in a session of its own, out of reach of mainstay's terminal.
    let meant_for_mainstay =
        [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2, libc::SIGALRM];
    // As mainstay does: a log that may not grow costs lines, and not the log-keeper.
    for signal in meant_for_mainstay.into_iter().chain([libc::SIGXFSZ]) {
        sys::ignore(signal).map_err(|why| KeeperError { what: "ignore signals", why })?;
    }
    // mainstay's death is seen as the end of this socket, so no copy of it may stay open.
    let null = std::fs::File::open("/dev/null").map_err(|why| KeeperError { what: "open /dev/null", why })?;
    rustix::stdio::dup2_stdin(&null)
        .map_err(|why| KeeperError { what: "close its standard input", why: why.into() })?;
    intake::run(socket).map_err(|why| KeeperError { what: "wait for output", why })
}
