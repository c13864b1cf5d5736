//! How long the thread `outputs` waits before it tries again.

use rustix::time::Timespec;

/// The wait before a keeper that had no room is offered its pipes again, and before a pipe of a run that is over is looked at again.
pub(super) const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The waits of an end that must not take long: each twice as long as the one before, up to [`LOOK_AGAIN`].
#[derive(Debug, Default)]
pub(super) struct Pauses {
    taken: u32,
}

impl Pauses {
    /// The next one.
    pub(super) fn next(&mut self) -> Timespec {
        let pause = 1_000_000_i64.checked_shl(self.taken).unwrap_or(i64::MAX).min(LOOK_AGAIN.tv_nsec);
        self.taken = self.taken.saturating_add(1).min(16);
        Timespec { tv_sec: 0, tv_nsec: pause }
    }
}
