//! Who listens at a socket that we are connected to.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::net::unix::UCred;
use tokio::runtime::{Builder, Handle};

/// Who began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listener {
    /// Its effective user, then.
    pub(crate) uid: u32,
    /// Its process, where it can be seen from here.
    pub(crate) pid: Option<u32>,
    /// Whether that still lives.
    pub(crate) life: Life,
}

/// Whether a process that began to listen still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It does, or is not known to have ended.
    Lives,
    /// It has ended. A child of it that hangs before it executes its program can hold the socket all the same: nobody will answer.
    HasEnded,
}

impl Listener {
    /// By the kernel's word (`SO_PEERCRED`, unix(7)). The stream does not block any more, nor do its copies.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub(crate) fn of(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let who = credentials(stream)?;
        let pid = who.pid().filter(|pid| *pid > 0);
        let has_ended = pid.and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH));
        let life = if has_ended { Life::HasEnded } else { Life::Lives };
        Ok(Self { uid: who.uid(), pid: pid.and_then(|pid| u32::try_from(pid).ok()), life })
    }
}

/// tokio reads them, and wants to know the stream first.
fn credentials(stream: UnixStream) -> io::Result<UCred> {
    if Handle::try_current().is_ok() {
        return tokio::net::UnixStream::from_std(stream)?.peer_cred();
    }
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    tokio::net::UnixStream::from_std(stream)?.peer_cred()
}
