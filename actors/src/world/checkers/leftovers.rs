//! Invariant 7, as far as a world can show it: after closing down, no process, probe, lease or timer is left, and everybody
//! who asked was answered. When nothing has gone wrong for long, only those timers run by which something is waited for
//! that nobody will tell.

use super::{Checker, Verdict, View};
use crate::cause::Holder;
use crate::message::Message;
use crate::message::device::{DeviceMessage, DeviceStatus, DeviceTimer};
use crate::message::lease::{LeaseMessage, LeaseTimer};

pub(super) struct Leftovers;

impl Checker for Leftovers {
    fn invariant(&self) -> u8 {
        7
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        let waits = |service: &Holder| view.leases.queue.iter().any(|waiter| waiter.request.holder == *service);
        let may_run = |timer: &&Message| match timer {
            // A stranger's port is looked at again and again, and patience has an end.
            Message::Leases(LeaseMessage::Timer(LeaseTimer::LookAgain(service) | LeaseTimer::Wait(service))) => {
                waits(service)
            }
            timer => is_of_quarantine(view, timer),
        };
        none_but(may_run, view)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        if let Some((_, tree)) = view.environment.trees().next() {
            return Err(format!("a process of {} (pid {}) is left", tree.service, tree.pid));
        }
        if let Some(run) = view.environment.watched().first() {
            return Err(format!("run {} is still looked at", run.0));
        }
        if let Some(held) = view.leases.held.first() {
            return Err(format!("{} still holds {}", held.holder, held.resource));
        }
        none_but(|timer| is_of_quarantine(view, timer), view)?;
        match view.unanswered {
            0 => Ok(()),
            count => Err(format!("{count} requests of the operator were never answered")),
        }
    }
}

/// No timer is set that may not be.
fn none_but(may_run: impl Fn(&&Message) -> bool, view: &View<'_>) -> Verdict {
    match view.timers.iter().find(|timer| !may_run(timer)) {
        Some(timer) => Err(format!("{} has a timer left: {timer:?}", timer.receiver())),
        None => Ok(()),
    }
}

/// A quarantine goes on whatever the services do.
fn is_of_quarantine(view: &View<'_>, timer: &Message) -> bool {
    let Message::Device(name, DeviceMessage::Timer(DeviceTimer::Quarantine)) = timer else { return false };
    view.shown.devices.get(name).is_some_and(|shown| shown.status == DeviceStatus::Quarantined)
}
