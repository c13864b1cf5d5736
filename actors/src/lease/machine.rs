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

use super::holding::{Holding, Use};
use super::messages::{Grant, LeaseMessage, LeaseRequest, LeaseSnapshot, Waiter};
use super::queue::{DeviceState, Queued, sort};
use super::radios::Radios;
use super::telling::{News, tell};
use crate::cause::{Blocker, Holder, Listed, Refusal, Withdrawal};
use crate::device::DeviceMessage;
use crate::machine::{
    ActorId, Beginning, Effect, Effects, Machine, Message, Moment, OperationId, Outcome, Publication,
};
use crate::service::ServiceMessage;
use crate::supervision::RootMessage;

/// Timers of the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum LeaseTimer {
    /// A request has waited as long as it wanted to.
    Wait(Holder),
    /// Somebody else's program kept a request from its port: perhaps it has ended.
    LookAgain(Holder),
    /// A radio refused to be put back: try again.
    PutBack(DeviceName),
}

pub(super) type Out = Effects<LeaseTimer>;

/// Whether the daemon is closing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    Asked,
    Said,
}

/// The lease registry.
#[derive(Debug, Clone)]
pub struct LeaseMachine {
    pub(super) operation: OperationId,
    pub(super) last_token: u64,
    pub(super) users: BTreeMap<DeviceName, BTreeSet<ServiceName>>,
    pub(super) services: BTreeSet<ServiceName>,
    pub(super) devices: BTreeMap<DeviceName, DeviceState>,
    pub(super) holders: BTreeMap<Holder, Holding>,
    pub(super) queue: Vec<Queued>,
    pub(super) radios: Radios,
    pub(super) awaited: BTreeSet<DeviceName>,
    /// Services that have not said again what they hold, after a restart.
    pub(super) unheard: BTreeSet<ServiceName>,
    /// Devices that asked who holds them meanwhile.
    pub(super) inquiring: BTreeSet<DeviceName>,
    /// Services that asked what they hold meanwhile.
    pub(super) asking: BTreeSet<ServiceName>,
    /// What was shown last; a restarted actor's predecessor may have shown something else.
    pub(super) published: Option<LeaseSnapshot>,
    pub(super) closing: Closing,
}

impl Machine for LeaseMachine {
    type Message = LeaseMessage;
    type Timer = LeaseTimer;
    /// Everything is asked for anew: services say what they hold, and the executor how radios were.
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
        // Devices first: who waits for one is then not told that it is not heard of yet.
        let mut out: Out = devices.chain(services).collect();
        self.ask_for_radios(&mut out);
        out
    }

    fn handle(&mut self, now: Moment, message: LeaseMessage) -> Out {
        let mut out = match message {
            LeaseMessage::Request(request) => self.request(request),
            LeaseMessage::Withdraw(holder) => self.withdraw(&holder),
            LeaseMessage::Release(holder) => self.release(&holder),
            LeaseMessage::Idle(holder) => self.set_use(&holder, Use::Idle),
            LeaseMessage::Busy(holder) => self.set_use(&holder, Use::Active),
            LeaseMessage::DeviceAvailable(device, offer) => self.available(&device, offer),
            LeaseMessage::DeviceUnavailable { device, reason, soon } => self.unavailable(&device, reason, soon),
            LeaseMessage::RadioPrepared(operation, device, result) => self.radio_prepared(operation, &device, result),
            LeaseMessage::RadioRestored(operation, device, result) => self.radio_restored(operation, &device, result),
            LeaseMessage::RadioReported(operation, device, before) => self.radio_reported(operation, device, before),
            LeaseMessage::PortsSeen(operation, seen) => self.ports_seen(operation, seen),
            LeaseMessage::Restated { service, grant } => self.restated(service, grant),
            LeaseMessage::Inquire(service) => self.service_inquires(service),
            LeaseMessage::InquireDevice(device) => self.device_inquires(device),
            LeaseMessage::Close => {
                // Asked again by a root that was restarted, it says so again.
                self.closing = Closing::Asked;
                Vec::new()
            }
            LeaseMessage::Timer(LeaseTimer::Wait(holder)) => self.waited(&holder),
            LeaseMessage::Timer(LeaseTimer::LookAgain(holder)) => self.look_again(&holder),
            LeaseMessage::Timer(LeaseTimer::PutBack(device)) => self.try_again(&device),
        };
        if self.unheard.is_empty() {
            self.settle(now, &mut out);
            self.publish(&mut out);
        }
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
            radios: Radios::of(station),
            awaited: BTreeSet::new(),
            unheard: BTreeSet::new(),
            inquiring: BTreeSet::new(),
            asking: BTreeSet::new(),
            published: None,
            closing: Closing::No,
        }
    }

    // ---- what those say who want leases, or hold them

    pub(super) fn request(&mut self, request: LeaseRequest) -> Out {
        if self.holders.contains_key(&request.holder) {
            // It withdrew, and asks again, before it has heard that it was served: it will take that for the answer.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        let mut out = self.withdraw(&request.holder);
        out.retain(|effect| !matches!(effect, Effect::Note(_)));
        if let Some(timeout) = request.timeout {
            out.push(Effect::SetTimer(LeaseTimer::Wait(request.holder.clone()), timeout));
        }
        self.queue.push(Queued::new(request));
        sort(&mut self.queue);
        out
    }

    pub(super) fn withdraw(&mut self, holder: &Holder) -> Out {
        let Some(place) = self.queue.iter().position(|queued| queued.request.holder == *holder) else {
            return vec![Effect::Note(Outcome::Ignored)];
        };
        // What was being made ready for it is put back when that has been answered.
        self.queue.remove(place);
        end_waiting(holder).into()
    }

    pub(super) fn release(&mut self, holder: &Holder) -> Out {
        let Some(holding) = self.holders.remove(holder) else {
            return vec![Effect::Note(Outcome::Ignored)];
        };
        // Of a radio it is said at once that it is being put back: nobody can lease it before it is.
        let is_told_more = |name: &&DeviceName| self.unheard.is_empty() && self.is_due(name);
        let told = holding.grant.devices.keys().filter(|name| !is_told_more(name));
        told.map(|name| tell_device(name, self.left_by_one(name))).collect()
    }

    fn set_use(&mut self, holder: &Holder, wanted: Use) -> Out {
        match self.holders.get_mut(holder) {
            // Draining ends with the release only.
            Some(holding) if holding.r#use != Use::Draining => {
                holding.r#use = wanted;
                Vec::new()
            }
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    fn waited(&mut self, holder: &Holder) -> Out {
        let Some(queued) = self.queue.iter().find(|queued| queued.request.holder == *holder) else {
            return vec![Effect::Note(Outcome::Superseded)];
        };
        let Some(timeout) = queued.request.timeout else { return Vec::new() };
        let for_device = queued.blockers.iter().any(|blocker| matches!(blocker, Blocker::Device { .. }));
        if for_device || queued.preparation.is_some() {
            // Only waiting for other holders is bounded.
            return vec![Effect::SetTimer(LeaseTimer::Wait(holder.clone()), timeout)];
        }
        let blockers = Listed::of(queued.blockers.iter().cloned(), queued.blockers.len());
        let refusal = Refusal::WaitedTooLong { patience: timeout, blockers };
        let mut out = self.withdraw(holder);
        out.extend(refuse(holder, refusal));
        out
    }

    /// A service whose actor was restarted asks what it holds. A restarted registry must have heard that service first.
    fn service_inquires(&mut self, service: ServiceName) -> Out {
        if self.unheard.contains(&service) {
            // It may have panicked over the question what it holds.
            let restate = tell_service(&service, ServiceMessage::Restate);
            self.asking.insert(service);
            return vec![restate];
        }
        let holding = self.holders.get(&Holder::from(&service));
        let grant = holding.map(|holding| holding.grant.clone());
        let mut out = vec![tell_service(&service, ServiceMessage::Holding(grant))];
        if holding.is_some_and(|holding| holding.r#use == Use::Draining) {
            // Its predecessor was told, and may not have got round to stopping.
            out.push(tell_service(&service, ServiceMessage::Revoked(Withdrawal::Earlier)));
        }
        out
    }

    fn restated(&mut self, service: ServiceName, grant: Option<Grant>) -> Out {
        if !self.unheard.remove(&service) {
            return vec![Effect::Note(Outcome::Ignored)];
        }
        if let Some(grant) = grant {
            self.last_token = self.last_token.max(grant.token.0);
            self.holders.insert(Holder::from(&service), Holding { grant, r#use: Use::Active });
        }
        let mut out = if self.asking.remove(&service) { self.service_inquires(service) } else { Vec::new() };
        if !self.unheard.is_empty() {
            return out;
        }
        // Everybody was heard. A device may have left or been replugged before anybody could be told.
        for device in std::mem::take(&mut self.inquiring) {
            out.extend(self.device_inquires(device));
        }
        // Also one that has not been heard itself yet may show a holder that let go.
        let devices: Vec<DeviceName> = self.users.keys().cloned().collect();
        for device in devices {
            match self.devices.get(&device).cloned() {
                Some(DeviceState::Available(offer)) => out.extend(self.revoke_older(&device, &offer)),
                Some(DeviceState::Unavailable { reason: why, .. }) => {
                    out.extend(self.revoke(&device, &Withdrawal::Lost { device: device.clone(), why }));
                }
                None => {}
            }
            out.extend(self.tell_unheld(&device).or_else(|| self.tell_holder(&device)));
        }
        out
    }

    fn publish(&mut self, out: &mut Out) {
        let mut held: Vec<_> = self.holders.iter().flat_map(|(name, holding)| holding.rows(name)).collect();
        held.sort_by(|a, b| (&a.resource, &a.holder).cmp(&(&b.resource, &b.holder)));
        let waiter = |queued: &Queued| Waiter { request: queued.request.clone(), blockers: queued.blockers.clone() };
        let snapshot = LeaseSnapshot { held, queue: self.queue.iter().map(waiter).collect() };
        if self.published.as_ref() != Some(&snapshot) {
            self.published = Some(snapshot.clone());
            out.push(Effect::Publish(Publication::Leases(snapshot)));
        }
        let settled = self.holders.is_empty() && self.radios.are_settled();
        if self.closing == Closing::Asked && settled {
            self.closing = Closing::Said;
            out.push(Effect::Tell(Message::Root(RootMessage::LeasesClosed)));
        }
    }
}

/// The timers of a request that waits no longer.
pub(super) fn end_waiting(holder: &Holder) -> [Effect<LeaseTimer>; 2] {
    [LeaseTimer::Wait(holder.clone()), LeaseTimer::LookAgain(holder.clone())].map(Effect::CancelTimer)
}

pub(super) fn refuse(holder: &Holder, refusal: Refusal) -> Option<Effect<LeaseTimer>> {
    tell(holder, News::Refused(refusal))
}

pub(super) fn tell_service(name: &ServiceName, message: ServiceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Service(name.clone(), message))
}

pub(super) fn tell_device(name: &DeviceName, message: DeviceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Device(name.clone(), message))
}
