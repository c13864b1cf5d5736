//! Invariant 7, as far as a world can show it: after closing down, no process, probe, lease or timer is left, and everybody
//! who asked was answered.

use super::{Checker, Verdict, View};
use crate::machine::ActorId;

pub(super) struct Leftovers;

impl Checker for Leftovers {
    fn invariant(&self) -> u8 {
        7
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        if let Some((_, tree)) = view.environment.trees().next() {
            return Err(format!("a process of {} (pid {}) is left", tree.service, tree.pid));
        }
        if let Some(run) = view.environment.watched().iter().next() {
            return Err(format!("run {} is still looked at", run.0));
        }
        if let Some(held) = view.shown.leases.held.first() {
            return Err(format!("{} still holds {}", held.holder, held.resource));
        }
        // A quarantine goes on whatever the services do.
        let device = |id: &ActorId| matches!(id, ActorId::Device(_));
        if let Some((id, timer)) = view.timers.iter().find(|(id, _)| !device(id)) {
            return Err(format!("{id} has a timer left: {timer}"));
        }
        match view.unanswered {
            0 => Ok(()),
            count => Err(format!("{count} requests of the operator were never answered")),
        }
    }
}
