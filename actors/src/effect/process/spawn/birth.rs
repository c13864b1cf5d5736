//! What is known of a program while the kernel still executes it, which a disk that does not answer can make very long.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use rustix::process::Pid;

/// Shared by the thread that starts a program, which is not heard of meanwhile, and by who may have to end that.
#[derive(Debug, Default)]
pub(in crate::effect::process) struct Birth {
    begun: AtomicBool,
    replaced: AtomicBool,
    pid: AtomicI32,
}

impl Birth {
    /// A thread has taken it up.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Whether a thread has taken it up.
    pub(in crate::effect::process) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Another thread has taken the place of the one that does it, which ends when it comes back.
    pub(super) fn replace_thread(&self) {
        self.replaced.store(true, Ordering::Relaxed);
    }

    /// Whether another thread has taken the place of the one that does it.
    pub(super) fn is_thread_replaced(&self) -> bool {
        self.replaced.load(Ordering::Relaxed)
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
