//! Invariant 5: what one loss stopped, its return brings back; what the operator stopped stays stopped.
//!
//! Whoever used a device when it left, and whoever requires one of those, must run again, or wait: that what it waits for
//! is so, the checker of invariant 4 sees. Only a failure of its own may keep it down. One that came with the loss, however
//! it looked, is none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::Autostart;
use mainstay_config::names::{DeviceName, ServiceName};

use super::failures::{Failed, Failures};
use super::reach::all_requirers;
use super::{Check, Checker, Verdict, View};
use crate::action::process::RunId;
use crate::cause::Resource;
use crate::engine::Letter;
use crate::message::service::ServiceStatus;
use crate::message::{ActorId, Moment};
use crate::world::environment::{Command, Environment, Happening};

/// A death this shortly before the departure of its device is the departure's doing: with what the kernel's word of it may
/// take, it is less than the three seconds for which mainstay looks back.
const DIED_OF_LOSS: Duration = Duration::from_secs(1);
/// A panic this shortly before or after a death, of an actor through which the word of the departure goes, may delay that
/// word beyond that.
const DELAYED_BY_PANIC: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Services that the operator has stopped.
    held: BTreeSet<ServiceName>,
    /// Services of which the operator has stopped some, before another that needs them was started.
    freed: BTreeSet<ServiceName>,
    /// Services of which mainstay was killed before it answered: whether they are held, only it can know.
    uncertain: BTreeSet<ServiceName>,
    failures: Failures,
    /// Services that a loss has stopped and that have done nothing since to stay down.
    debts: BTreeMap<ServiceName, Debt>,
    /// The last death of each service's runs.
    deaths: BTreeMap<ServiceName, (Moment, RunId)>,
    panics: BTreeMap<ActorId, Moment>,
}

/// That a service must come back.
#[derive(Debug)]
struct Debt {
    lost: DeviceName,
    at: Moment,
    /// Which run the loss stopped, of a service that used the device itself.
    run: Option<RunId>,
}

impl Checker for Wanted {
    fn check(&self) -> Check {
        Check::Wanted
    }

    /// What the operator has stopped stays stopped.
    fn outlives_mainstay(&mut self, unanswered: &BTreeSet<ServiceName>, _environment: &Environment) -> bool {
        let Self { held, freed, uncertain, .. } = std::mem::take(self);
        self.uncertain = uncertain.into_iter().chain(freed).chain(unanswered.iter().cloned()).collect();
        self.held = held.difference(&self.uncertain).cloned().collect();
        true
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        if let Some(failed) = self.failures.handled(letter, environment) {
            self.failed(&failed, environment.now());
        }
        Ok(())
    }

    fn happened(&mut self, happening: &Happening, environment: &Environment) -> Verdict {
        self.failures.happened(happening, environment);
        match happening {
            Happening::Done(service, Command::Stop) => {
                self.held.insert(service.clone());
                self.uncertain.remove(service);
                self.debts.remove(service);
            }
            Happening::Done(service, _) => {
                self.held.remove(service);
                self.uncertain.remove(service);
            }
            Happening::StartedForDependent(service) => {
                self.freed.extend(self.held.take(service));
            }
            Happening::Ordered(run) => {
                if let Some(tree) = environment.tree(*run).filter(|tree| self.held.contains(&tree.service)) {
                    return Err(format!("{} is started, though the operator has stopped it", tree.service));
                }
            }
            Happening::Unplugged(device) => self.unplugged(device, environment),
            Happening::Panicked(actor) => self.panicked(actor, environment.now()),
            _ => {}
        }
        Ok(())
    }

    fn when_quiet(&mut self, view: &View<'_>) -> Verdict {
        for spec in view.environment.station().services.values() {
            let Some(shown) = view.shown.services.get(&spec.name) else { continue };
            let stopped = matches!(shown.status, ServiceStatus::Held);
            let held = self.held.contains(&spec.name);
            let is_known = !self.uncertain.contains(&spec.name);
            if stopped && !held && is_known && spec.autostart == Autostart::Yes {
                return Err(format!("{} is held, though nobody has stopped it: {:?}", spec.name, shown.reason));
            }
            if held && view.environment.trees_of(&spec.name).next().is_some() {
                return Err(format!("{} runs, though the operator has stopped it", spec.name));
            }
            let Some(Debt { lost, at, .. }) = self.debts.get(&spec.name) else { continue };
            if !matches!(shown.status, ServiceStatus::Running | ServiceStatus::Waiting) {
                let (name, seconds, is) = (&spec.name, at.since_boot().as_secs_f64(), shown.status.as_str());
                let reason = &shown.reason;
                return Err(format!(
                    "{name} was stopped by the loss of {lost} at {seconds:.6} s and is {is}: {reason:?}"
                ));
            }
        }
        Ok(())
    }
}

impl Wanted {
    fn unplugged(&mut self, device: &DeviceName, environment: &Environment) {
        let (now, station) = (environment.now(), environment.station());
        let mut stopped: Vec<(ServiceName, Option<RunId>)> = Vec::new();
        for (run, tree) in environment.trees() {
            if tree.uses.iter().any(|(used, _)| *used == Resource::Device(device.clone())) {
                stopped.push((tree.service.clone(), Some(*run)));
            }
        }
        for (service, (at, run)) in &self.deaths {
            let used = station.services.get(service).is_some_and(|spec| spec.devices.contains_key(device));
            if used && now.since(*at) <= DIED_OF_LOSS && environment.trees_of(service).next().is_none() {
                stopped.push((service.clone(), Some(*run)));
            }
        }
        for (service, _) in stopped.clone() {
            let running =
                all_requirers(station, &service).into_iter().filter(|name| environment.trees_of(name).next().is_some());
            stopped.extend(running.map(|name| (name, None)));
        }
        for (service, run) in stopped {
            let has_failed =
                self.failures.is_dying(&service) && !(run.is_some() && self.died_lately(&service, device, now));
            if !self.held.contains(&service) && !has_failed {
                self.debts.entry(service).or_insert(Debt { lost: device.clone(), at: now, run });
            }
        }
    }

    fn died_lately(&self, service: &ServiceName, device: &DeviceName, now: Moment) -> bool {
        let lately = self.deaths.get(service).is_some_and(|(at, _)| now.since(*at) <= DIED_OF_LOSS);
        lately && !self.is_delayed(service, device, now)
    }

    /// Whether a panic may have delayed the word that a device has left on its way to a service.
    fn is_delayed(&self, service: &ServiceName, device: &DeviceName, now: Moment) -> bool {
        let mut panics = self.panics.iter().filter(|(_, at)| now.since(**at) <= DELAYED_BY_PANIC);
        panics.any(|(actor, _)| passes_on(actor, service, device))
    }

    fn failed(&mut self, failed: &Failed<'_>, now: Moment) {
        if let Some(run) = failed.run {
            self.deaths.insert(failed.service.clone(), (now, run));
        }
        let of_loss = |debt: &Debt| failed.run.is_some() && debt.run == failed.run;
        let excused = self
            .debts
            .get(failed.service)
            .is_some_and(|debt| !of_loss(debt) || self.is_delayed(failed.service, &debt.lost, now));
        if excused {
            self.debts.remove(failed.service);
        }
    }

    fn panicked(&mut self, actor: &ActorId, now: Moment) {
        self.panics.insert(actor.clone(), now);
        let deaths = &self.deaths;
        self.debts.retain(|service, debt| {
            let died_lately = deaths.get(service).is_some_and(|(at, _)| now.since(*at) <= DELAYED_BY_PANIC);
            !(died_lately && passes_on(actor, service, &debt.lost))
        });
    }
}

/// Whether the word that a device has left goes through an actor on its way to a service.
fn passes_on(actor: &ActorId, service: &ServiceName, device: &DeviceName) -> bool {
    match actor {
        ActorId::Hardware | ActorId::Leases => true,
        ActorId::Device(name) => name == device,
        ActorId::Service(name) => name == service,
        ActorId::Root | ActorId::Services => false,
    }
}
