//! The only place that waits for children.
//!
//! One SIGCHLD can stand for many children, so each wake-up looks until nobody is left. A child is first looked at and
//! then reaped, on the thread that also signals main processes: between the two its number cannot belong to anybody else.

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::sys::{self, Ended};

/// The next child that has ended, which is gone from the process table now.
pub(super) fn next() -> Option<Ended> {
    loop {
        let ended = match sys::peek() {
            Ok(ended) => ended?,
            Err(error) => {
                tracing::error!(%error, "the kernel does not say which children have ended");
                return None;
            }
        };
        // Nobody else waits for children; the next look shows another.
        if reap(ended.pid).is_some() {
            return Some(ended);
        }
    }
}

fn reap(pid: u32) -> Option<WaitIdStatus> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).ok().flatten()
}
