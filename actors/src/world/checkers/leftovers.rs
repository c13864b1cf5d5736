//! Invariant 7, as far as a world can show it: after closing down, no process, probe, lease or timer is left, and everybody
//! who asked was answered. Nothing that was made ahead for a start is kept by who does not start. When nothing has gone wrong for long, only those timers run by which something is waited for
//! that nobody will tell; at the end, those of devices that stay where they are.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::names::ServiceName;

use super::{Check, Checker, Verdict, View};
use crate::action::process::RunId;
use crate::cause::Holder;
use crate::message::device::{DeviceMessage, DeviceStatus, DeviceTimer};
use crate::message::lease::{LeaseMessage, LeaseTimer};
use crate::message::service::ServiceStatus;
use crate::message::{Message, Moment};
use crate::world::environment::{Environment, Happening, Tree};

/// How long it may take until what is to be killed is: it must be heard that it runs, and looked who is of it.
pub(super) const KILLED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Whose each run is, also when nothing is left of it.
    owners: BTreeMap<RunId, ServiceName>,
    /// Until when a process of each hung that was killed.
    hung: BTreeMap<RunId, Moment>,
}

impl Checker for Leftovers {
    fn check(&self) -> Check {
        Check::Leftovers
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        if let Happening::Ordered(run) = happening {
            self.hung.remove(run);
            self.owners.extend(environment.tree(*run).map(|tree| (*run, tree.service.clone())));
        }
        Ok(())
    }

    fn time_passed(&mut self, environment: &Environment) -> Verdict {
        let now = environment.now();
        let killed = environment.trees().filter(|(_, tree)| tree.swept.is_some());
        self.hung.extend(killed.filter(|(_, tree)| tree.hangs()).map(|(run, _)| (*run, now)));
        let is_due = |run: &RunId, tree: &Tree| {
            let hung = self.hung.get(run).copied().unwrap_or_default();
            Environment::is_to_be_killed_since(tree).is_some_and(|since| now.since(since.max(hung)) > KILLED_WITHIN)
        };
        match environment.trees().find(|(run, tree)| is_due(run, tree) && !environment.cannot_be_ended(tree)) {
            Some((_, tree)) => Err(format!("{} (pid {}) is to be killed, and goes on", tree.service, tree.pid)),
            None => Ok(()),
        }
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        let waits = |service: &Holder| view.leases.queue.iter().any(|waiter| waiter.request.holder == *service);
        let may_run = |timer: &&Message| match timer {
            // A stranger's port is looked at again and again, and patience has an end.
            Message::Leases(LeaseMessage::Timer(LeaseTimer::LookAgain(service) | LeaseTimer::Wait(service))) => {
                waits(service)
            }
            // A quarantine goes on whatever the services do.
            Message::Device(_, DeviceMessage::Timer(DeviceTimer::Quarantine)) => is_where_its_device_is(view, timer),
            _ => false,
        };
        none_but(may_run, view)?;
        let will_start =
            |name: &ServiceName| view.shown.services.get(name).is_some_and(|shown| waits_to_start(shown.status));
        if let Some(name) = view.environment.prepared().find(|name| !will_start(name)) {
            return Err(format!("what was made ahead for {name} is kept, and it does not start"));
        }
        is_answered(view.unanswered)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        // What outlives SIGKILL is named, and left.
        let is_named = |service: &ServiceName| view.left.iter().any(|left| left.service == *service);
        // It may have ended since, and nobody has heard that.
        let is_named_run = |run: &RunId| self.owners.get(run).is_some_and(is_named);
        if let Some((_, tree)) = view.environment.trees().find(|(_, tree)| !is_named(&tree.service)) {
            return Err(format!("a process of {} (pid {}) is left", tree.service, tree.pid));
        }
        if let Some((_, tree)) = view.environment.trees().find(|(_, tree)| !view.environment.cannot_be_ended(tree)) {
            return Err(format!("{} is said to outlive SIGKILL, and was never killed", tree.service));
        }
        if let Some(run) = view.environment.watched().iter().find(|run| !is_named_run(run)) {
            return Err(format!("run {} is still looked at", run.0));
        }
        let mut held = view.leases.held.iter();
        if let Some(held) = held.find(|held| !held.holder.service().is_some_and(is_named)) {
            return Err(format!("{} still holds {}", held.holder, held.resource));
        }
        none_but(|timer| is_where_its_device_is(view, timer), view)?;
        // Who asks when all is over hears that the daemon has ended.
        is_answered(view.unanswered.saturating_sub(view.unread))
    }
}

fn waits_to_start(status: ServiceStatus) -> bool {
    matches!(status, ServiceStatus::Waiting | ServiceStatus::Starting)
}

fn is_answered(unanswered: usize) -> Verdict {
    match unanswered {
        0 => Ok(()),
        count => Err(format!("{count} requests of the operator were never answered")),
    }
}

/// No timer is set that may not be.
fn none_but(may_run: impl Fn(&&Message) -> bool, view: &View<'_>) -> Verdict {
    match view.timers.iter().find(|timer| !may_run(timer)) {
        Some(timer) => Err(format!("{} has a timer left: {timer:?}", timer.receiver())),
        None => Ok(()),
    }
}

/// Whether it is a timer of a device, and belongs to the state that this shows.
fn is_where_its_device_is(view: &View<'_>, timer: &Message) -> bool {
    let Message::Device(name, DeviceMessage::Timer(timer)) = timer else { return false };
    let belongs_to = match timer {
        DeviceTimer::Settling | DeviceTimer::AccessRetry => DeviceStatus::Settling,
        DeviceTimer::LookAfterAll => DeviceStatus::Faulted,
        DeviceTimer::Quarantine => DeviceStatus::Quarantined,
        DeviceTimer::Mistaken => return false,
    };
    view.shown.devices.get(name).is_some_and(|shown| shown.status == belongs_to)
}
