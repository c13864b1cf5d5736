//! The only place that waits for children.
//!
//! One SIGCHLD can stand for many children, so each wake-up looks until nobody is left. A child is first looked at and
//! then reaped, on the thread that also signals main processes: between the two its number cannot belong to anybody else.

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::sys::{self, Ended};

/// Reaps every child that has ended, telling of each right after it is gone from the process table.
pub(super) fn reap_all(mut tell: impl FnMut(Ended)) {
    while let Some(ended) = next() {
        tell(ended);
    }
}

fn next() -> Option<Ended> {
    let ended = match sys::peek() {
        Ok(ended) => ended?,
        Err(error) => {
            tracing::error!(%error, "the kernel does not say which children have ended");
            return None;
        }
    };
    let pid = Pid::from_raw(i32::try_from(ended.pid).ok()?)?;
    match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        Ok(_) => Some(ended),
        // Somebody else waits for children, against the rule. Stop here: looking again could go on for ever.
        Err(error) => {
            tracing::error!(pid = ended.pid, %error, "a child was reaped by somebody else");
            None
        }
    }
}
