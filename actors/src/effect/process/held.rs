//! Signals that wait until a thread takes them, whatever the others do.

use std::ffi::c_int;
use std::io;
use std::time::Duration;

use super::sys;

/// Signals that interrupt nobody and are not lost: the next one is there when it is asked for.
#[derive(Debug)]
pub struct Held(Vec<c_int>);

impl Held {
    /// From now on they are held, for this thread and those that it begins: to be called before there are others. Children are born
    /// without that.
    ///
    /// # Errors
    /// When the kernel refuses, which it has no reason to.
    pub fn hold(signals: &[c_int]) -> io::Result<Self> {
        sys::block(signals)?;
        Ok(Self(signals.to_owned()))
    }

    /// Waits for the next one, up to so long when that is said. `None`: none came, or the wait was interrupted.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn next(&self, within: Option<Duration>) -> io::Result<Option<c_int>> {
        sys::take_signal(&self.0, within)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_held_is_there_when_it_is_asked_for() {
        // This thread alone; the signal goes to it, and not to the process.
        let held = Held::hold(&[libc::SIGUSR1, libc::SIGUSR2]).unwrap();
        assert_eq!(held.next(Some(Duration::ZERO)).unwrap(), None);
        sys::raise(libc::SIGUSR2);
        assert_eq!(held.next(None).unwrap(), Some(libc::SIGUSR2));
        assert_eq!(held.next(Some(Duration::from_millis(1))).unwrap(), None);
    }
}
