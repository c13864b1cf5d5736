//! Invariant 7, as far as a world can show it: after closing down, no process, probe, lease or timer is left, and everybody
//! who asked was answered. Nothing that was made ahead for a start is kept by who does not start. When nothing has gone wrong for long, only those timers run by which something is waited for
//! that nobody will tell; at the end, those of devices that stay where they are.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::matching;

use super::{Check, Checker, Verdict, View};
use crate::action::process::RunId;
use crate::cause::Holder;
use crate::effect::check_commands::is_command;
use crate::engine::AnyMachine;
use crate::message::device::{DeviceMessage, DeviceStatus, DeviceTimer};
use crate::message::lease::{LeaseMessage, LeaseTimer};
use crate::message::service::ServiceStatus;
use crate::message::{ActorId, Message, Moment};
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
        let waits = |holder: &Holder| holder.service().is_some_and(|name| waits_to_start(view, name));
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
        if let Some(name) = view.environment.prepared().find(|name| !waits_to_start(view, name)) {
            return Err(format!("what was made ahead for {name} is kept, and it does not start"));
        }
        is_answered(view.unanswered)
    }

    fn at_the_end(&mut self, view: &View<'_>) -> Verdict {
        // What outlives SIGKILL is named, and left.
        let is_named = |service: &ServiceName| view.left.iter().any(|left| left.service == *service);
        // It may have ended since, and nobody has heard that.
        let is_named_run = |run: &RunId| self.owners.get(run).is_some_and(is_named);
        // Commands of checks are waited for by the executor itself, which names them.
        let is_known = |run: &RunId, tree: &Tree| is_named(&tree.service) || is_command(*run);
        if let Some((_, tree)) = view.environment.trees().find(|(run, tree)| !is_known(run, tree)) {
            return Err(format!("a process of {} (pid {}) is left", tree.service, tree.pid));
        }
        // Its program may have begun only just now. What takes too long then has been found before.
        if let Some((_, tree)) = view.environment.trees().find(|(_, tree)| tree.swept.is_none()) {
            return Err(format!("{} (pid {}) is left, and was never killed", tree.service, tree.pid));
        }
        if let Some(run) = view.environment.watched().iter().find(|run| !is_named_run(run)) {
            return Err(format!("run {} is still looked at", run.0));
        }
        let is_left = |holder: &Holder| !holder.service().is_some_and(is_named);
        if let Some(AnyMachine::Leases(leases)) = view.machine(&ActorId::Leases)
            && let Some(holder) = leases.all_holders().into_iter().find(is_left)
        {
            return Err(format!("{holder} still holds something"));
        }
        none_but(|timer| is_where_its_device_is(view, timer), view)?;
        // Who asks when all is over hears that the daemon has ended.
        is_answered(view.unanswered.saturating_sub(view.unread))
    }
}

/// By its own state, whatever it shows.
fn waits_to_start(view: &View<'_>, name: &ServiceName) -> bool {
    match view.machine(&ActorId::Service(name.clone())) {
        Some(AnyMachine::Service(machine)) => {
            matches!(machine.status(), ServiceStatus::Waiting | ServiceStatus::Starting)
        }
        _ => false,
    }
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

/// Whether it is a timer of a device, and belongs to the state that this is in.
fn is_where_its_device_is(view: &View<'_>, timer: &Message) -> bool {
    let Message::Device(name, DeviceMessage::Timer(timer)) = timer else { return false };
    let belongs_to = match timer {
        DeviceTimer::Settling | DeviceTimer::AccessRetry => DeviceStatus::Settling,
        DeviceTimer::LookAfterAll => DeviceStatus::Faulted,
        DeviceTimer::Quarantine => DeviceStatus::Quarantined,
        DeviceTimer::Mistaken => return is_called_otherwise(view, name),
    };
    match view.machine(&ActorId::Device(name.clone())) {
        Some(AnyMachine::Device(machine)) => machine.status() == belongs_to,
        _ => false,
    }
}

/// Whether a device knows what it is by a name that is not the configured one.
fn is_called_otherwise(view: &View<'_>, name: &DeviceName) -> bool {
    let spec = view.environment.station().devices.get(name);
    match (spec, view.machine(&ActorId::Device(name.clone()))) {
        (Some(spec), Some(AnyMachine::Device(machine))) => {
            machine.sighting().is_some_and(|sighting| !matching::matches(spec, sighting))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_config::model::DeviceKind;

    use super::*;
    use crate::world::World;
    use crate::world::stations::assemble;

    #[test]
    fn a_timer_of_a_state_that_is_only_shown_is_found() {
        let mut world = World::new(&assemble(&[("gps", DeviceKind::Gps)], Vec::new()), 1);
        world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        world.shown.devices.values_mut().for_each(|shown| shown.status = DeviceStatus::Quarantined);
        let timer = Message::Device("gps".parse().unwrap(), DeviceMessage::Timer(DeviceTimer::Quarantine));
        let view = View { timers: vec![timer], ..View::of(&world) };
        assert!(Leftovers::default().when_quiet(&view).is_err());
    }
}
