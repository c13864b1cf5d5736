//! A clean process, whatever it was started from.
//!
//! What a process inherits shows in it and in everything it starts: a blocked SIGCHLD makes it deaf to the ends of its children, a
//! blocked SIGTERM to whoever stops it, an open file of its starter's reaches programs that may not read it, and a limit on the size of
//! files kills it when its log has grown to that.

mod inherited;

use std::ffi::c_int;
use std::io;

use rustix::fs::Mode;
use rustix::process::{getpid, umask};

use super::sys;
pub use inherited::Inherited;

/// What others may not do with what mainstay and its services make, unless they say so: write.
const UMASK: Mode = Mode::WGRP.union(Mode::WOTH);
/// The first descriptor behind standard input, output and error; with it begin those that sd_listen_fds(3) passes on.
const FIRST: c_int = 3;

/// Makes this process one that shows nothing of whoever started it: no signal is blocked, none is ignored but SIGHUP (which is how
/// nohup(1) says that the end of a terminal is not meant for it) and two that would kill it for a line that cannot be written: SIGPIPE
/// (which std ignores) and SIGXFSZ. What it makes is writable for its owner alone, nothing is open but standard input, output and error,
/// which std sees to, and what it is passed on purpose. No limit keeps it from growing, and it is as nice as others; what of that this
/// user may not change is the answer.
///
/// To be called first of all: before there is another thread, and before anything is opened.
///
/// # Errors
/// The kernel refuses something, which it has no reason to.
pub fn begin_clean() -> io::Result<Vec<Inherited>> {
    sys::hear_all_signals(&[libc::SIGHUP, libc::SIGPIPE])?;
    sys::ignore(libc::SIGXFSZ)?;
    umask(UMASK);
    let passed = |name: &str| std::env::var(name).ok();
    let meant = meant(passed("LISTEN_PID").as_deref(), passed("LISTEN_FDS").as_deref());
    sys::keep_to_ourselves(FIRST, FIRST.saturating_add(meant));
    Ok(inherited::give_back())
}

/// How many descriptors are meant for this process (sd_listen_fds(3)); for others, whose environment was handed on, none.
fn meant(pid: Option<&str>, number: Option<&str>) -> c_int {
    let is_ours = pid.and_then(|pid| pid.parse().ok()) == Some(getpid().as_raw_nonzero().get());
    let number = number.and_then(|number| number.parse().ok()).filter(|number| *number > 0);
    number.filter(|_| is_ours).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_descriptors_that_were_passed_to_this_very_process_are_meant() {
        let us = std::process::id().to_string();
        assert_eq!(meant(Some(&us), Some("2")), 2);
        assert_eq!([meant(Some("1"), Some("2")), meant(None, Some("2")), meant(Some(&us), None)], [0; 3]);
        assert_eq!([meant(Some(&us), Some("-2")), meant(Some(&us), Some("many")), meant(Some(""), Some("1"))], [0; 3]);
    }
}
