//! Which services have failed by themselves, and how often: only that may keep them from running again.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::{PortNeed, RestartWhen, Service};
use mainstay_config::names::{DeviceName, ServiceName};

use super::reach::DELAYS;
use crate::action::process::{Exit, ProcessEvent, RunId};
use crate::cause::Refusal;
use crate::engine::Letter;
use crate::message::lease::{LeaseMessage, LeaseTimer, Renewed};
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::message::supervision::ServicesMessage;
use crate::message::{ActorId, Message, Moment};
use crate::trace::MessageId;
use crate::world::environment::{Command, Environment, Happening};

/// The failures of all services, counted from what is true around the machines.
#[derive(Debug, Default)]
pub(super) struct Failures {
    services: BTreeMap<ServiceName, Record>,
    /// Since when each has its time to become ready, and since when it wants what it asked the registry for.
    ordered: BTreeMap<ServiceName, Moment>,
    wants: BTreeMap<ServiceName, Moment>,
    /// When each was given its slot of which no order has come yet; and when its actor panicked last.
    slotted: BTreeMap<ServiceName, Moment>,
    panicked: BTreeMap<ServiceName, Moment>,
    /// Runs that a machine had signalled: what they do then is not by themselves.
    signalled: BTreeSet<RunId>,
    /// When the patience of each was last over.
    impatient: BTreeMap<ServiceName, Moment>,
    /// Looks at ports in which the registry heard of strangers.
    strangers: BTreeSet<MessageId>,
    /// When each radio last refused to be made ready.
    unready: BTreeMap<DeviceName, Moment>,
}

#[derive(Debug, Default)]
struct Record {
    /// Runs, or attempts at one, that ended by themselves since the operator had them counted anew.
    ends: u32,
    /// It has failed, and its processes are not all gone.
    dying: bool,
    /// Its last attempt failed in a way that only a person can mend.
    hopeless: bool,
}

/// A service has just failed by itself.
#[derive(Debug)]
pub(super) struct Failed<'a> {
    pub(super) service: &'a ServiceName,
    /// Which run of it; `None` when it had none yet.
    pub(super) run: Option<RunId>,
}

impl Failures {
    /// Takes in a message; answers what failure it is the first word of.
    pub(super) fn handled<'a>(&mut self, letter: &'a Letter, environment: &Environment) -> Option<Failed<'a>> {
        let Message::Service(service, said) = &letter.message else {
            self.other_handled(letter, environment);
            return None;
        };
        match said {
            ServiceMessage::Process(_, ProcessEvent::SpawnFailed(failure)) => {
                let record = self.record(service);
                record.ends += 1;
                (record.dying, record.hopeless) = (false, !failure.may_pass());
                Some(Failed { service, run: None })
            }
            ServiceMessage::Refused(refusal) | ServiceMessage::Renewed(_, Renewed::Refused(refusal))
                if self.may_be_refused(environment, service, refusal, letter) =>
            {
                self.record(service).ends += 1;
                Some(Failed { service, run: None })
            }
            ServiceMessage::SlotGranted(_) => {
                self.slotted.entry(service.clone()).or_insert(environment.now());
                None
            }
            ServiceMessage::Timer(ServiceTimer::ReadyWithin) if self.was_given_its_time(service, environment) => {
                self.begins_to_die(service, None)
            }
            // Going into the background is no end.
            ServiceMessage::Process(_, ProcessEvent::MainExited { exit: Exit::Code(0), remaining })
                if !remaining.is_empty() =>
            {
                None
            }
            ServiceMessage::Process(run, ProcessEvent::MainExited { .. }) if !self.signalled.contains(run) => {
                self.begins_to_die(service, Some(*run))
            }
            ServiceMessage::Process(run, ProcessEvent::TreeGone) => {
                let by_itself = !self.signalled.remove(run);
                let failed = if by_itself { self.begins_to_die(service, Some(*run)) } else { None };
                let record = self.record(service);
                record.ends += u32::from(std::mem::take(&mut record.dying));
                failed
            }
            _ => None,
        }
    }

    pub(super) fn happened(&mut self, happening: &Happening, environment: &Environment) {
        match happening {
            Happening::Ordered(run) => {
                let Some(service) = environment.tree(*run).map(|tree| tree.service.clone()) else { return };
                // An order that is lost in a panic is given once more, with the deadline of the first.
                let slotted = self.slotted.remove(&service);
                let first = slotted.filter(|at| self.panicked.get(&service).is_some_and(|panicked| panicked >= at));
                self.ordered.insert(service, first.unwrap_or(environment.now()));
            }
            Happening::Panicked(ActorId::Service(service)) => {
                self.panicked.insert(service.clone(), environment.now());
            }
            Happening::Signalled(run) => {
                self.signalled.insert(*run);
            }
            // `restart` goes on counting.
            Happening::Done(_, Command::Restart) => {}
            Happening::Done(service, _) => {
                let record = self.record(service);
                (record.ends, record.hopeless) = (0, false);
            }
            _ => {}
        }
    }

    /// Whether it has failed and its processes are not all gone yet.
    pub(super) fn is_dying(&self, service: &ServiceName) -> bool {
        self.services.get(service).is_some_and(|record| record.dying)
    }

    /// Whether it has ended by itself at all.
    pub(super) fn has_ended(&self, service: &ServiceName) -> bool {
        self.services.get(service).is_some_and(|record| record.ends > 0)
    }

    /// Whether it has failed so often that it may be given up.
    pub(super) fn is_given_up(&self, spec: &Service) -> bool {
        let Some(record) = self.services.get(&spec.name) else { return false };
        let borne = if spec.restart.when == RestartWhen::Never { 0 } else { spec.restart.attempts };
        record.hopeless || record.ends > borne
    }

    /// Whether it may fail once more, or twice, and is started again all the same.
    pub(super) fn may_fail_again(&self, spec: &Service) -> bool {
        let ends = self.services.get(&spec.name).map_or(0, |record| record.ends + u32::from(record.dying));
        ends.saturating_add(1) < spec.restart.attempts
    }

    fn begins_to_die<'a>(&mut self, service: &'a ServiceName, run: Option<RunId>) -> Option<Failed<'a>> {
        let already = std::mem::replace(&mut self.record(service).dying, true);
        (!already).then_some(Failed { service, run })
    }

    fn record(&mut self, service: &ServiceName) -> &mut Record {
        self.services.entry(service.clone()).or_default()
    }

    /// Whether it has had the time that it is given to become ready.
    pub(super) fn was_given_its_time(&self, service: &ServiceName, environment: &Environment) -> bool {
        let spec = environment.station().services.get(service);
        let since = self.ordered.get(service).map(|since| environment.now().since(*since));
        since.zip(spec).is_some_and(|(since, spec)| since >= spec.ready.within)
    }

    fn other_handled(&mut self, letter: &Letter, environment: &Environment) {
        let now = environment.now();
        match &letter.message {
            Message::Services(ServicesMessage::ReturnSlot(service)) => drop(self.slotted.remove(service)),
            Message::Leases(LeaseMessage::PortsSeen(_, Ok(seen))) if !seen.is_empty() => {
                self.strangers.insert(letter.id);
            }
            Message::Leases(LeaseMessage::Request(request) | LeaseMessage::Renew(request)) => {
                self.wants.extend(request.holder.service().cloned().map(|service| (service, request.arrival)));
            }
            Message::Leases(LeaseMessage::Timer(LeaseTimer::Wait(holder))) => {
                let service = holder.service().and_then(|name| environment.station().services.get(name));
                let is_over = |spec: &Service| {
                    let patience = spec.devices.values().filter_map(|need| need.timeout).min();
                    let since = self.wants.get(&spec.name).map(|since| now.since(*since));
                    since.zip(patience).is_some_and(|(since, patience)| since >= patience)
                };
                let over = service.filter(|spec| is_over(spec));
                self.impatient.extend(over.map(|spec| (spec.name.clone(), now)));
            }
            Message::Leases(LeaseMessage::RadioRead(_, device, Err(_)) | LeaseMessage::RadioSet(_, device, Err(_))) => {
                self.unready.insert(device.clone(), now);
            }
            _ => {}
        }
    }

    /// Whether the registry may refuse a service for that: its patience was over a moment ago, a radio of its has just refused its
    /// mode, or somebody else listens on a port, or did when it was looked; they may have ended since.
    fn may_be_refused(
        &self,
        environment: &Environment,
        service: &ServiceName,
        refusal: &Refusal,
        letter: &Letter,
    ) -> bool {
        let Some(spec) = environment.station().services.get(service) else { return false };
        let lately = |at: Option<&Moment>| at.is_some_and(|at| environment.now().since(*at) <= DELAYS);
        let foreign = |port: u16| environment.foreign().contains(&port);
        let taken = |need: &PortNeed| match need {
            PortNeed::Fixed(port) => foreign(port.get()),
            PortNeed::Range { first, last, .. } => (first.get()..=last.get()).all(foreign),
        };
        match refusal {
            Refusal::WaitedTooLong { .. } => lately(self.impatient.get(service)),
            Refusal::NotPrepared { device, .. } => lately(self.unready.get(device)),
            Refusal::PortInUse { .. } | Refusal::RangeInUse => {
                letter.cause.message.is_some_and(|cause| self.strangers.contains(&cause))
                    || spec.ports.values().any(taken)
            }
        }
    }
}
