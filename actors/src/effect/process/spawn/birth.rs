//! What is known of a program while the kernel still executes it, which a disk that does not answer can make very long.

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use rustix::process::Pid;

/// No thread has taken it up yet.
const QUEUED: u8 = 0;
/// A thread is at it.
const BEGUN: u8 = 1;
/// A thread is at it that ends when it comes back: another one has taken its place.
const REPLACED: u8 = 2;
/// It is over.
const DONE: u8 = 3;

/// Shared by the thread that starts a program, which is not heard of meanwhile, and by who may have to end that.
#[derive(Debug, Default)]
pub(in crate::effect::process) struct Birth {
    state: AtomicU8,
    pid: AtomicI32,
}

/// Whether the thread that was at it goes on with other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    GoOn,
    End,
}

impl Birth {
    /// A thread has taken it up.
    pub(super) fn begin(&self) {
        self.state.store(BEGUN, Ordering::Relaxed);
    }

    /// The thread has come back from it.
    pub(super) fn end(&self) -> Afterwards {
        match self.state.swap(DONE, Ordering::Relaxed) {
            REPLACED => Afterwards::End,
            _ => Afterwards::GoOn,
        }
    }

    /// Another thread takes the place of the one that is at it. `None`: none is at it, or one has already.
    pub(super) fn take_place(&self) -> Option<()> {
        self.state.compare_exchange(BEGUN, REPLACED, Ordering::Relaxed, Ordering::Relaxed).ok().map(drop)
    }

    /// Whether a thread has taken it up.
    pub(in crate::effect::process) fn has_begun(&self) -> bool {
        self.state.load(Ordering::Relaxed) != QUEUED
    }

    /// Whether a thread is at it whose place nobody has taken.
    pub(in crate::effect::process) fn occupies_a_thread(&self) -> bool {
        self.state.load(Ordering::Relaxed) == BEGUN
    }

    /// Where the kernel writes the process id.
    pub(super) fn slot(&self) -> &AtomicI32 {
        &self.pid
    }

    /// Its process, once there is one.
    pub(in crate::effect::process) fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_ends_only_when_another_has_taken_its_place_before_it_came_back() {
        let birth = Birth::default();
        assert_eq!(birth.take_place(), None, "it is queued");
        birth.begin();
        assert_eq!((birth.take_place(), birth.take_place()), (Some(()), None));
        assert_eq!(birth.end(), Afterwards::End);
        let birth = Birth::default();
        birth.begin();
        assert_eq!(birth.end(), Afterwards::GoOn);
        assert_eq!(birth.take_place(), None, "it has come back meanwhile");
    }
}
