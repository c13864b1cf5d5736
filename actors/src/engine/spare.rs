//! A machine as it was before the message that is being handled, in case it panics over that.
//!
//! Machines are pure: told the same again, they become the same again. So a clone is not needed before every message, which
//! for a registry with a thousand leases would cost more than the message: a clone and what was handled since will do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::AnyMachine;
use crate::message::{Message, Moment};

/// Machines up to this weight are cloned when mail comes and let go when all is handled: nothing is kept of them at rest. What is
/// kept of heavier ones goes when it is quiet ([`Engine::rest`](super::Engine::rest)): it may be of a time when a thousand waited.
const LIGHT: usize = 16;
/// Messages after which a light machine is cloned anew; a heavy one after so many more as it is heavier.
const MESSAGES: usize = 16;

/// What a machine can be made again from.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Spare {
    machine: AnyMachine,
    since: Vec<(Moment, Message)>,
}

impl Spare {
    /// Notes a message that is about to be handled.
    pub(super) fn before(spare: &mut Option<Self>, machine: &AnyMachine, now: Moment, message: &Message) {
        let is_full = |spare: &Self| spare.since.len() >= MESSAGES.saturating_add(machine.weight());
        if spare.as_ref().is_none_or(is_full) {
            *spare = Some(Self { machine: machine.clone(), since: Vec::new() });
        }
        if let Some(spare) = spare {
            spare.since.push((now, message.clone()));
        }
    }

    /// Everything is handled.
    pub(super) fn rest(spare: &mut Option<Self>, machine: &AnyMachine) {
        if machine.weight() <= LIGHT {
            *spare = None;
        }
    }

    /// The machine before the message that was noted last.
    pub(super) fn make(mut self) -> AnyMachine {
        self.since.pop();
        let (mut machine, since) = (self.machine.clone(), self.since);
        let again = AssertUnwindSafe(|| {
            for (now, message) in since {
                machine.handle(now, message);
            }
            machine
        });
        // It has handled all of this before; should it be no pure machine after all, an older state is better than none.
        catch_unwind(again).unwrap_or(self.machine)
    }
}
