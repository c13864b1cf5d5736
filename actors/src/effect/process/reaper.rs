//! The only place that waits for children.
//!
//! One SIGCHLD can stand for many children, so each wake-up looks until nobody is left. A child is first looked at and
//! then reaped, on the thread that also signals main processes: between the two its number cannot belong to anybody else.

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::sys::{self, Ended};

/// Who is told of children.
pub(crate) trait Parent {
    /// A child was reaped.
    fn child_ended(&mut self, ended: Ended);
}

/// Reaps every child that has ended, telling of each right after it is gone from the process table.
pub(super) fn reap_all(parent: &mut impl Parent) {
    loop {
        let ended = match sys::peek() {
            Ok(Some(ended)) => ended,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the kernel does not say which children have ended");
                return;
            }
        };
        // Nobody else waits for children; the next look shows another.
        if reap(ended.pid).is_some() {
            parent.child_ended(ended);
        }
    }
}

fn reap(pid: u32) -> Option<WaitIdStatus> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).ok().flatten()
}
