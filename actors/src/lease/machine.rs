//! What the registry decides.
//!
//! ```text
//!  request ──▶ waiting ──all free──▶ preparing ──ready──▶ held ──release──▶ (radio put back) ──▶ free
//!                 ▲                      │                  │ device lost, or wanted while idle
//!                 └── device lost ◀──────┤                  ▼
//!                          refused ◀─────┘              draining ──release──▶ …
//! ```
//! Everything a service needs is granted at once or not at all, so that nobody holds one thing while waiting for another.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::Station;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, ErrorKind};

use super::holding::{Holding, Unsettled, Use};
use super::messages::{
    Blocker, Grant, GrantedDevice, LeaseMessage, LeaseRequest, LeaseSnapshot, Soon, Token, Waiter, Want,
};
use super::preparation::Preparation;
use super::queue::{DeviceState, Prospect, Queued, Situation, sort};
use crate::device::{Awaited, DeviceMessage, Offer};
use crate::effect::ports::Listener;
use crate::machine::{
    Action, ActorId, Beginning, Effect, Effects, Machine, Message, Moment, OperationId, Outcome, Publication,
};
use crate::service::ServiceMessage;
use crate::supervision::RootMessage;

/// Timers of the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeaseTimer {
    /// A request has waited as long as it wanted to.
    Wait(ServiceName),
}

type Out = Effects<LeaseTimer>;

/// Whether the daemon is closing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    Asked,
    Said,
}

/// The lease registry.
#[derive(Debug, Clone)]
pub struct LeaseMachine {
    operation: OperationId,
    last_token: u64,
    users: BTreeMap<DeviceName, BTreeSet<ServiceName>>,
    services: BTreeSet<ServiceName>,
    devices: BTreeMap<DeviceName, DeviceState>,
    holders: BTreeMap<ServiceName, Holding>,
    queue: Vec<Queued>,
    unsettled: Unsettled,
    awaited: BTreeSet<DeviceName>,
    /// Services that have not said again what they hold, after a restart.
    unheard: BTreeSet<ServiceName>,
    /// Devices that asked who holds them meanwhile.
    inquiring: BTreeSet<DeviceName>,
    published: LeaseSnapshot,
    closing: Closing,
}

impl Machine for LeaseMachine {
    type Message = LeaseMessage;
    type Timer = LeaseTimer;

    type Memo = ();

    fn id(&self) -> ActorId {
        ActorId::Leases
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        if beginning == Beginning::First {
            return Vec::new();
        }
        self.unheard = self.services.clone();
        let services = self.services.iter().map(|name| tell_service(name, ServiceMessage::Restate));
        let devices = self.users.keys().map(|name| tell_device(name, DeviceMessage::Restate));
        services.chain(devices).collect()
    }

    fn handle(&mut self, now: Moment, message: LeaseMessage) -> Out {
        let mut out = match message {
            LeaseMessage::Request(request) => self.request(request),
            LeaseMessage::Withdraw(service) => self.withdraw(&service),
            LeaseMessage::Release(service) => self.release(&service),
            LeaseMessage::Idle(service) => self.set_use(&service, Use::Idle),
            LeaseMessage::Busy(service) => self.set_use(&service, Use::Active),
            LeaseMessage::DeviceAvailable(device, offer) => self.available(&device, offer),
            LeaseMessage::DeviceUnavailable { device, reason, soon } => self.unavailable(&device, &reason, soon),
            LeaseMessage::RadioPrepared(operation, device, result) => self.radio_prepared(operation, &device, result),
            LeaseMessage::RadioRestored(operation, device, result) => self.radio_restored(operation, &device, result),
            LeaseMessage::PortsSeen(operation, seen) => self.ports_seen(operation, seen),
            LeaseMessage::Restated { service, grant } => self.restated(service, grant),
            LeaseMessage::Inquire(service) => {
                let grant = self.holders.get(&service).map(|holding| holding.grant.clone());
                vec![tell_service(&service, ServiceMessage::Holding(grant))]
            }
            LeaseMessage::InquireDevice(device) => self.device_inquires(device),
            LeaseMessage::Close => {
                self.closing = Closing::Asked;
                Vec::new()
            }
            LeaseMessage::Timer(LeaseTimer::Wait(service)) => self.waited(&service),
        };
        if self.unheard.is_empty() {
            self.settle(now, &mut out);
        }
        self.publish(&mut out);
        out
    }

    fn memo(&self) {}

    fn timer(timer: LeaseTimer) -> LeaseMessage {
        LeaseMessage::Timer(timer)
    }
}

impl LeaseMachine {
    /// A registry that knows the station and has granted nothing.
    #[must_use]
    pub fn new(station: &Station, incarnation: u32) -> Self {
        let mut users: BTreeMap<DeviceName, BTreeSet<ServiceName>> =
            station.devices.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
        for service in station.services.values() {
            for device in service.devices.keys() {
                users.entry(device.clone()).or_default().insert(service.name.clone());
            }
        }
        Self {
            operation: OperationId::none_of(incarnation),
            // A restarted registry never gives a token again, whatever its predecessor had given out.
            last_token: u64::from(incarnation) << 32,
            users,
            services: station.services.keys().cloned().collect(),
            devices: BTreeMap::new(),
            holders: BTreeMap::new(),
            queue: Vec::new(),
            unsettled: Unsettled::default(),
            awaited: BTreeSet::new(),
            unheard: BTreeSet::new(),
            inquiring: BTreeSet::new(),
            published: LeaseSnapshot::default(),
            closing: Closing::No,
        }
    }

    // ---- what services say

    fn request(&mut self, request: LeaseRequest) -> Out {
        let mut out = self.withdraw(&request.service);
        out.retain(|effect| !matches!(effect, Effect::Note(_)));
        if let Some(timeout) = request.timeout {
            out.push(Effect::SetTimer(LeaseTimer::Wait(request.service.clone()), timeout));
        }
        self.queue.push(Queued::new(request));
        sort(&mut self.queue);
        out
    }

    fn withdraw(&mut self, service: &ServiceName) -> Out {
        let Some(place) = self.queue.iter().position(|queued| queued.request.service == *service) else {
            return vec![Effect::Note(Outcome::Ignored)];
        };
        let queued = self.queue.remove(place);
        let mut out = vec![Effect::CancelTimer(LeaseTimer::Wait(service.clone()))];
        out.extend(queued.preparation.into_iter().flat_map(|preparation| self.undo(preparation)));
        out
    }

    fn release(&mut self, service: &ServiceName) -> Out {
        let Some(holding) = self.holders.remove(service) else {
            return vec![Effect::Note(Outcome::Ignored)];
        };
        let mut out: Out =
            holding.grant.devices.keys().map(|name| tell_device(name, DeviceMessage::Unleased)).collect();
        for (device, baseline) in holding.baselines() {
            let sharer = self.holders.values_mut().find_map(|other| other.grant.devices.get_mut(device));
            match sharer {
                // The last of those who share a radio has it put back.
                Some(shared) => shared.baseline = Some(baseline.clone()),
                None => out.push(self.restore(device.clone(), baseline.clone())),
            }
        }
        out
    }

    fn set_use(&mut self, service: &ServiceName, wanted: Use) -> Out {
        match self.holders.get_mut(service) {
            // Draining ends with the release only.
            Some(holding) if holding.r#use != Use::Draining => {
                holding.r#use = wanted;
                Vec::new()
            }
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    fn waited(&mut self, service: &ServiceName) -> Out {
        let Some(queued) = self.queue.iter().find(|queued| queued.request.service == *service) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let Some(timeout) = queued.request.timeout else { return Vec::new() };
        let for_device = queued.blockers.iter().any(|blocker| matches!(blocker, Blocker::Device { .. }));
        if for_device || queued.preparation.is_some() {
            // Only waiting for other holders is bounded.
            return vec![Effect::SetTimer(LeaseTimer::Wait(service.clone()), timeout)];
        }
        let waited = humantime::format_duration(timeout);
        let blockers: Vec<String> = queued.blockers.iter().map(ToString::to_string).collect();
        let mut out = self.withdraw(service);
        out.push(refuse(service, format!("waited {waited} for {}", blockers.join("; "))));
        out
    }

    fn restated(&mut self, service: ServiceName, grant: Option<Grant>) -> Out {
        self.unheard.remove(&service);
        if let Some(grant) = grant {
            self.last_token = self.last_token.max(grant.token.0);
            self.holders.insert(service, Holding { grant, r#use: Use::Active });
        }
        if !self.unheard.is_empty() {
            return Vec::new();
        }
        // Everybody was heard. A device may have left or been replugged before anybody could be told.
        let mut out = Vec::new();
        for device in std::mem::take(&mut self.inquiring) {
            out.extend(self.device_inquires(device));
        }
        let devices: Vec<DeviceName> = self.devices.keys().cloned().collect();
        for device in devices {
            match self.devices.get(&device).cloned() {
                Some(DeviceState::Available(offer)) => out.extend(self.revoke_older(&device, &offer)),
                Some(DeviceState::Unavailable { reason, .. }) => out.extend(self.revoke(&device, &reason)),
                None => {}
            }
        }
        out
    }

    // ---- what devices say

    fn device_inquires(&mut self, device: DeviceName) -> Out {
        if !self.unheard.is_empty() {
            self.inquiring.insert(device);
            return Vec::new();
        }
        let message = match self.holder_of(&device) {
            Some(holder) => DeviceMessage::Leased { holder },
            None => DeviceMessage::Unleased,
        };
        vec![tell_device(&device, message)]
    }

    fn available(&mut self, device: &DeviceName, offer: Offer) -> Out {
        let mut out = self.revoke_older(device, &offer);
        let known = match self.devices.get(device) {
            Some(DeviceState::Available(known)) => known.generation == offer.generation,
            _ => false,
        };
        if !known {
            let arrived =
                |name| tell_service(name, ServiceMessage::DeviceArrived(device.clone(), offer.generation.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(arrived));
        }
        if let Some(holder) = self.holder_of(device) {
            out.push(tell_device(device, DeviceMessage::Leased { holder }));
        }
        self.devices.insert(device.clone(), DeviceState::Available(offer));
        out
    }

    /// A holder of an earlier arrival must stop before the new one can be leased.
    fn revoke_older(&mut self, device: &DeviceName, offer: &Offer) -> Out {
        let older = self.holders.values().any(|holding| {
            holding.grant.devices.get(device).is_some_and(|held| held.offer.generation != offer.generation)
        });
        if older { self.revoke(device, &format!("{device} was replugged")) } else { Vec::new() }
    }

    fn unavailable(&mut self, device: &DeviceName, reason: &str, soon: Soon) -> Out {
        let state = DeviceState::Unavailable { reason: reason.to_owned(), soon };
        let before = self.devices.insert(device.clone(), state);
        let mut out = self.revoke(device, reason);
        if matches!(before, Some(DeviceState::Available(_))) {
            let left = |name| tell_service(name, ServiceMessage::DeviceLeft(device.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(left));
        }
        for place in 0..self.queue.len() {
            let Some(queued) = self.queue.get_mut(place) else { continue };
            if queued.preparation.as_ref().is_some_and(|preparation| preparation.offers.contains_key(device)) {
                let preparation = queued.preparation.take();
                out.extend(preparation.into_iter().flat_map(|preparation| self.undo(preparation)));
            }
        }
        out
    }

    /// Tells every holder of a device to stop.
    fn revoke(&mut self, device: &DeviceName, reason: &str) -> Out {
        let mut out = Vec::new();
        for (name, holding) in &mut self.holders {
            if holding.grant.devices.contains_key(device) && holding.r#use != Use::Draining {
                holding.r#use = Use::Draining;
                out.push(tell_service(name, ServiceMessage::Revoked { reason: reason.to_owned() }));
            }
        }
        out
    }

    // ---- granting

    /// Goes through the queue in order and serves all that can be served.
    fn settle(&mut self, now: Moment, out: &mut Out) {
        let mut queue = std::mem::take(&mut self.queue);
        let mut reserved = BTreeMap::new();
        for queued in &mut queue {
            let mut situation = Situation {
                devices: &self.devices,
                holders: &self.holders,
                unsettled: &self.unsettled,
                reserved: std::mem::take(&mut reserved),
            };
            if queued.preparation.is_none() {
                match situation.prospect(queued) {
                    Prospect::Free(ports) => {
                        queued.preparation = Some(prepare(&mut self.operation, &situation, queued, ports, out));
                        tell_blockers(queued, Vec::new());
                    }
                    Prospect::Blocked(blockers) => {
                        if let Some(effect) = tell_blockers(queued, blockers) {
                            out.push(effect);
                        }
                    }
                }
            }
            situation.reserve(queued);
            reserved = situation.reserved;
        }
        self.queue = queue;
        self.take_from_idle(out);
        self.grant_prepared(now, out);
        self.tell_awaited(out);
    }

    /// Who waits out a back-off gives way to who waits.
    fn take_from_idle(&mut self, out: &mut Out) {
        for queued in &self.queue {
            for blocker in &queued.blockers {
                let Blocker::Held { resource, holder } = blocker else { continue };
                let Some(holding) = self.holders.get_mut(holder) else { continue };
                if holding.r#use == Use::Idle {
                    holding.r#use = Use::Draining;
                    let reason = format!("{} waits for {resource}", queued.request.service);
                    out.push(tell_service(holder, ServiceMessage::Revoked { reason }));
                }
            }
        }
    }

    fn grant_prepared(&mut self, now: Moment, out: &mut Out) {
        let is_done = |queued: &mut Queued| queued.preparation.as_ref().is_some_and(Preparation::is_done);
        let granted: Vec<Queued> = self.queue.extract_if(.., is_done).collect();
        for queued in granted {
            let Some(preparation) = queued.preparation else { continue };
            let service = queued.request.service.clone();
            self.last_token = self.last_token.saturating_add(1);
            let grant = grant(Token(self.last_token), now, &queued.request, preparation);
            out.push(Effect::CancelTimer(LeaseTimer::Wait(service.clone())));
            for device in grant.devices.keys() {
                out.push(tell_device(device, DeviceMessage::Leased { holder: service.clone() }));
            }
            out.push(tell_service(&service, ServiceMessage::Granted(grant.clone())));
            self.holders.insert(service, Holding { grant, r#use: Use::Active });
        }
    }

    fn tell_awaited(&mut self, out: &mut Out) {
        let mut awaited = BTreeSet::new();
        for want in self.queue.iter().flat_map(|queued| &queued.request.wants) {
            if let Want::Device { device, .. } = want {
                awaited.insert(device.clone());
            }
        }
        let say = |name: &DeviceName, how| tell_device(name, DeviceMessage::Awaited(how));
        out.extend(awaited.difference(&self.awaited).map(|name| say(name, Awaited::Somebody)));
        out.extend(self.awaited.difference(&awaited).map(|name| say(name, Awaited::Nobody)));
        self.awaited = awaited;
    }

    // ---- radios and ports

    fn radio_prepared(
        &mut self,
        operation: OperationId,
        device: &DeviceName,
        result: Result<WifiBaseline, Error>,
    ) -> Out {
        let waiting = self.queue.iter_mut().find_map(|queued| {
            let service = queued.request.service.clone();
            let preparation = queued.preparation.as_mut()?;
            (preparation.radios.get(device) == Some(&operation)).then_some((service, preparation))
        });
        let Some((service, preparation)) = waiting else {
            // Nobody waits for it any more. If it was changed, it is put back.
            self.unsettled.end(device, operation);
            return match result {
                Ok(baseline) => vec![self.restore(device.clone(), baseline)],
                Err(_) => vec![Effect::Note(Outcome::Superseded)],
            };
        };
        preparation.radios.remove(device);
        match result {
            Ok(baseline) => {
                preparation.baselines.insert(device.clone(), baseline);
                Vec::new()
            }
            Err(error) => {
                let mut out = self.withdraw(&service);
                out.extend(fault_if_hung(device, &error));
                out.push(refuse(&service, format!("{device} could not be made ready: {error}")));
                out
            }
        }
    }

    fn radio_restored(&mut self, operation: OperationId, device: &DeviceName, result: Result<(), Error>) -> Out {
        if !self.unsettled.end(device, operation) {
            return vec![Effect::Note(Outcome::Superseded)];
        }
        match result {
            Ok(()) => Vec::new(),
            // A radio that is gone needs no restoring.
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                vec![tell_device(device, DeviceMessage::Fault(format!("it could not be put back as it was: {error}")))]
            }
        }
    }

    fn ports_seen(&mut self, operation: OperationId, seen: Result<BTreeMap<u16, Listener>, String>) -> Out {
        let asked = |queued: &&mut Queued| {
            queued.preparation.as_ref().is_some_and(|preparation| preparation.looking == Some(operation))
        };
        let Some(queued) = self.queue.iter_mut().find(asked) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let Some(preparation) = queued.preparation.as_mut() else { return Vec::new() };
        preparation.looking = None;
        // Where the look itself fails, the service's own bind decides.
        let foreign: BTreeMap<u16, String> =
            seen.unwrap_or_default().iter().map(|(port, listener)| (*port, listener.to_string())).collect();
        if foreign.is_empty() {
            return Vec::new();
        }
        let service = queued.request.service.clone();
        let choosable = queued.request.wants.iter().any(|want| is_range_with_choice(want, &queued.foreign, &foreign));
        if let Some((port, listener)) = foreign.iter().find(|(port, _)| is_fixed(&queued.request, **port)) {
            let words =
                format!("port {port} is in use by {listener}; stop that program, or give {service} another port");
            let mut out = self.withdraw(&service);
            out.push(refuse(&service, words));
            return out;
        }
        queued.foreign.extend(foreign);
        let preparation = queued.preparation.take();
        let mut out: Out = preparation.into_iter().flat_map(|preparation| self.undo(preparation)).collect();
        if !choosable {
            out.extend(self.withdraw(&service));
            out.push(refuse(&service, "every port of its range is in use by other programs".to_owned()));
        }
        out
    }

    /// Takes back what was prepared.
    fn undo(&mut self, preparation: Preparation) -> Out {
        for (device, operation) in preparation.radios {
            // The change is under way: what becomes of it is dealt with when it is answered.
            self.unsettled.begin(device, operation);
        }
        preparation.baselines.into_iter().map(|(device, baseline)| self.restore(device, baseline)).collect()
    }

    fn restore(&mut self, device: DeviceName, baseline: WifiBaseline) -> Effect<LeaseTimer> {
        let operation = self.operation.advance();
        self.unsettled.begin(device.clone(), operation);
        Effect::Act(Action::RestoreRadio(operation, device, baseline))
    }

    // ---- showing

    fn holder_of(&self, device: &DeviceName) -> Option<ServiceName> {
        self.holders
            .iter()
            .find(|(_, holding)| holding.grant.devices.contains_key(device))
            .map(|(name, _)| name.clone())
    }

    fn publish(&mut self, out: &mut Out) {
        let mut held: Vec<_> = self.holders.iter().flat_map(|(name, holding)| holding.rows(name)).collect();
        held.sort_by(|a, b| (&a.resource, &a.holder).cmp(&(&b.resource, &b.holder)));
        let waiter = |queued: &Queued| Waiter { request: queued.request.clone(), blockers: queued.blockers.clone() };
        let snapshot = LeaseSnapshot { held, queue: self.queue.iter().map(waiter).collect() };
        if snapshot != self.published {
            self.published = snapshot.clone();
            out.push(Effect::Publish(Publication::Leases(snapshot)));
        }
        let settled = self.holders.is_empty() && self.unsettled.is_empty();
        if self.closing == Closing::Asked && settled && self.unheard.is_empty() {
            self.closing = Closing::Said;
            out.push(Effect::Tell(Message::Root(RootMessage::LeasesClosed)));
        }
    }
}

/// Begins to make ready what a request wants.
fn prepare(
    operation: &mut OperationId,
    situation: &Situation<'_>,
    queued: &Queued,
    ports: BTreeMap<mainstay_config::names::PortName, u16>,
    out: &mut Out,
) -> Preparation {
    let mut preparation = Preparation {
        offers: BTreeMap::new(),
        ports,
        looking: None,
        radios: BTreeMap::new(),
        baselines: BTreeMap::new(),
    };
    for want in &queued.request.wants {
        let Want::Device { device, mode, takeover, .. } = want else { continue };
        let Some(DeviceState::Available(offer)) = situation.devices.get(device) else { continue };
        let shared = situation.holders.values().any(|holding| holding.grant.devices.contains_key(device));
        // A radio that is shared is in its mode already.
        if let Some(ifindex) = offer.ifindex.filter(|_| !shared) {
            let operation = operation.advance();
            preparation.radios.insert(device.clone(), operation);
            let (device, mode, takeover) = (device.clone(), *mode, *takeover);
            out.push(Effect::Act(Action::PrepareRadio { operation, device, ifindex, mode, takeover }));
        }
        preparation.offers.insert(device.clone(), offer.clone());
    }
    if !preparation.ports.is_empty() {
        let operation = operation.advance();
        preparation.looking = Some(operation);
        let ports = preparation.ports.values().copied().collect();
        out.push(Effect::Act(Action::LookAtPorts(operation, ports)));
    }
    preparation
}

fn grant(token: Token, since: Moment, request: &LeaseRequest, mut preparation: Preparation) -> Grant {
    let mut grant = Grant { token, since, devices: BTreeMap::new(), ports: preparation.ports, named: Vec::new() };
    for want in &request.wants {
        match want {
            Want::Device { device, sharing, .. } => {
                let Some(offer) = preparation.offers.remove(device) else { continue };
                let baseline = preparation.baselines.remove(device);
                grant.devices.insert(device.clone(), GrantedDevice { sharing: *sharing, offer, baseline });
            }
            Want::Named(name) => grant.named.push(name.clone()),
            Want::Port { .. } => {}
        }
    }
    grant
}

/// Notes what a request waits for; an effect when that has changed.
fn tell_blockers(queued: &mut Queued, blockers: Vec<Blocker>) -> Option<Effect<LeaseTimer>> {
    if queued.blockers == blockers {
        return None;
    }
    queued.blockers.clone_from(&blockers);
    Some(tell_service(&queued.request.service, ServiceMessage::Queued(blockers)))
}

fn is_fixed(request: &LeaseRequest, port: u16) -> bool {
    use mainstay_config::model::PortNeed::Fixed;
    request.wants.iter().any(|want| matches!(want, Want::Port { need: Fixed(fixed), .. } if fixed.get() == port))
}

/// Whether a range has a port on which nobody was seen to listen.
fn is_range_with_choice(want: &Want, before: &BTreeMap<u16, String>, now: &BTreeMap<u16, String>) -> bool {
    use mainstay_config::model::PortNeed::Range;
    let Want::Port { need: Range { prefer, first, last }, .. } = want else { return false };
    let free = |port: u16| !before.contains_key(&port) && !now.contains_key(&port);
    free(prefer.get()) || (first.get()..=last.get()).any(free)
}

fn fault_if_hung(device: &DeviceName, error: &Error) -> Option<Effect<LeaseTimer>> {
    let hung = error.kind == ErrorKind::TimedOut;
    hung.then(|| tell_device(device, DeviceMessage::Fault(format!("driver hung: {error}"))))
}

fn refuse(service: &ServiceName, reason: String) -> Effect<LeaseTimer> {
    tell_service(service, ServiceMessage::Refused(reason))
}

fn tell_service(name: &ServiceName, message: ServiceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Service(name.clone(), message))
}

fn tell_device(name: &DeviceName, message: DeviceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Device(name.clone(), message))
}
