//! The only place that waits for children.
//!
//! One SIGCHLD can stand for many children, so each wake-up looks until nobody is left. A child is first looked at and
//! then reaped, on the thread that also signals main processes: between the two its number cannot belong to anybody else.
//!
//! There is one exception, which std makes: when a program that needs steps between fork and exec cannot be executed,
//! `Command::spawn` itself waits for the child that failed, and panics if it is gone. While such a start is under way (see [`Gate`])
//! children that nobody knows are left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::order::Exit;
use super::sys::{self, Ended};

/// Closed while std may wait for a child itself. Counts the threads that keep it closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<AtomicUsize>);

/// Keeps the gate closed.
#[derive(Debug)]
pub(super) struct Closed<'a>(&'a Gate);

impl Gate {
    /// Closes it until the answer is dropped.
    pub(super) fn close(&self) -> Closed<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Closed(self)
    }

    fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Who is told of children.
pub(super) trait Parent {
    /// Every child whose start is known.
    fn known(&self) -> Vec<u32>;
    /// Whether the start of a child is known.
    fn knows(&self, pid: u32) -> bool;
    /// A child was reaped.
    fn child_ended(&mut self, ended: Ended);
}

/// Whether everybody who has ended was reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaped {
    /// Yes.
    All,
    /// Not those that nobody knows: look again when the start that is under way has ended.
    Known,
}

/// Reaps every child that has ended, telling of each right after it is gone from the process table.
pub(super) fn reap_all(gate: &Gate, parent: &mut impl Parent) -> Reaped {
    loop {
        let ended = match sys::peek() {
            Ok(Some(ended)) => ended,
            Ok(None) => return Reaped::All,
            Err(error) => {
                tracing::error!(%error, "the kernel does not say which children have ended");
                return Reaped::All;
            }
        };
        // Asked after looking: a start that closes the gate later cannot be this child's.
        if !parent.knows(ended.pid) && gate.is_closed() {
            reap_known(parent);
            return Reaped::Known;
        }
        // A child that std has just waited for is gone; the next look shows another.
        if reap(ended.pid).is_some() {
            parent.child_ended(ended);
        }
    }
}

fn reap_known(parent: &mut impl Parent) {
    for pid in parent.known() {
        if let Some(status) = reap(pid) {
            parent.child_ended(Ended { pid, exit: exit_of(&status) });
        }
    }
}

fn reap(pid: u32) -> Option<WaitIdStatus> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).ok().flatten()
}

fn exit_of(status: &WaitIdStatus) -> Exit {
    let code = status.exit_status().map(Exit::Code);
    code.or_else(|| status.terminating_signal().map(Exit::Signal)).unwrap_or(Exit::Unknown)
}
