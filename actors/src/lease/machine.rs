//! What the registry decides.
//!
//! ```text
//!  request ──▶ waiting ──all free──▶ preparing ──ready──▶ held ──release──▶ (radio put back) ──▶ free
//!                 ▲                      │                  │ device lost, or wanted while idle
//!                 └── device lost ◀──────┤                  ▼
//!                          refused ◀─────┘              draining ──release──▶ …
//!   A holder that is restarted stays one: it only hears anew whether strangers listen on its ports (renewing.rs).
//! ```
//! Everything a service needs is granted at once or not at all, so that nobody holds one thing while waiting for another.

use crate::message::lease::{LeaseMessage, LeaseRequest, LeaseTimer, Token};
use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::model::Station;
use mainstay_config::names::{DeviceName, ServiceName};

use super::files::Files;
use super::holding::{Holders, Holding, Use};
use super::prospect::{DeviceState, Situation};
use super::queue::Queue;
use super::radios::Radios;
use crate::cause::{Blocker, Holder, Listed, Refusal, Resource, Withdrawal};
use crate::machine::{Beginning, Machine};
use crate::message::device::DeviceMessage;
use crate::message::lasting::{Remembered, Tokens};
use crate::message::service::ServiceMessage;
use crate::message::supervision::RootMessage;
use crate::message::{Action, ActorId, Effect, Effects, Message, Moment, OperationId, Outcome};

pub(super) type Out = Effects<LeaseTimer>;

/// Whether the daemon is closing down.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Closing {
    No,
    Asked,
    /// It was said that everything is given back, but for what these hold.
    Said(Vec<Holder>),
}

/// The lease registry.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LeaseMachine {
    pub(super) operation: OperationId,
    pub(super) tokens: Tokens,
    pub(super) users: BTreeMap<DeviceName, BTreeSet<ServiceName>>,
    pub(super) services: BTreeSet<ServiceName>,
    pub(super) devices: BTreeMap<DeviceName, DeviceState>,
    pub(super) holders: Holders,
    pub(super) queue: Queue,
    /// For whom somebody looks at ports or files.
    pub(super) looks: BTreeMap<OperationId, Holder>,
    pub(super) radios: Radios,
    pub(super) files: Files,
    pub(super) awaited: BTreeSet<DeviceName>,
    /// Who holds or waits for other things than was shown last.
    pub(super) changed: BTreeSet<Holder>,
    pub(super) closing: Closing,
}

impl Machine for LeaseMachine {
    type Message = LeaseMessage;
    type Timer = LeaseTimer;

    fn id(&self) -> ActorId {
        ActorId::Leases
    }

    fn begin(&mut self, _now: Moment, beginning: Beginning) -> Out {
        match beginning {
            Beginning::First => self.begin_first(),
            Beginning::Again => self.begin_again(),
        }
    }

    fn handle(&mut self, now: Moment, message: LeaseMessage) -> Out {
        let mut out = self.take(now, message);
        self.settle(now, &mut out);
        self.set_tokens_aside(&mut out);
        self.publish(&mut out);
        self.perhaps_closed(&mut out);
        out
    }

    fn successor(&self) -> Self {
        self.reduced()
    }

    fn peers(&self) -> Vec<ActorId> {
        let devices = self.users.keys().cloned().map(ActorId::Device);
        let services = self.services.iter().cloned().map(ActorId::Service);
        // Devices first: who waits for one is then not told that it is not heard of yet.
        devices.chain(services).chain([ActorId::Root]).collect()
    }

    fn tell_again(&self, to: &ActorId) -> Vec<Message> {
        self.say_again(to)
    }

    fn weight(&self) -> usize {
        self.holders.len() + self.queue.len() + self.devices.len()
    }

    fn timer(timer: LeaseTimer) -> LeaseMessage {
        LeaseMessage::Timer(timer)
    }
}

impl LeaseMachine {
    /// A registry that knows the station and what was written down before, and has granted nothing.
    #[must_use]
    pub fn new(station: &Station, remembered: &Remembered) -> Self {
        let mut users: BTreeMap<DeviceName, BTreeSet<ServiceName>> =
            station.devices.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
        for service in station.services.values() {
            for device in service.devices.keys() {
                users.entry(device.clone()).or_default().insert(service.name.clone());
            }
        }
        Self {
            operation: OperationId::default(),
            tokens: Tokens::above(remembered.tokens),
            users,
            services: station.services.keys().cloned().collect(),
            devices: BTreeMap::new(),
            holders: Holders::default(),
            queue: Queue::default(),
            looks: BTreeMap::new(),
            radios: Radios::left_by(&remembered.radios),
            files: Files::default(),
            awaited: BTreeSet::new(),
            changed: BTreeSet::new(),
            closing: Closing::No,
        }
    }

    /// Radios that an earlier mainstay had changed are put back.
    fn begin_first(&mut self) -> Out {
        let mut out = Vec::new();
        self.set_tokens_aside(&mut out);
        self.put_back_unused(&mut out);
        out
    }

    fn set_tokens_aside(&mut self, out: &mut Out) {
        out.extend(self.tokens.set_aside().map(Action::Remember).map(Effect::Act));
    }

    /// Takes in what a message says. Whom that concerns is looked at afterwards.
    pub(super) fn take(&mut self, now: Moment, message: LeaseMessage) -> Out {
        if let Some(device) = message.device() {
            self.queue.touch(&Resource::Device(device.clone()));
        }
        match message {
            LeaseMessage::Request(request) => self.request(now, request),
            LeaseMessage::Withdraw(holder) => self.withdraw(&holder),
            LeaseMessage::Release(holder, token) => self.release(&holder, token),
            LeaseMessage::Stands(statement) => self.stands(now, statement),
            LeaseMessage::Idle(holder) => self.set_use(&holder, Use::Idle),
            LeaseMessage::Busy(holder) => self.set_use(&holder, Use::Active),
            LeaseMessage::Renew(request) => self.renew(request),
            LeaseMessage::Abandoned(holder) => self.abandon(&holder),
            LeaseMessage::DeviceAvailable(device, offer) => self.available(&device, offer),
            LeaseMessage::DeviceUnavailable { device, reason, soon } => self.unavailable(&device, reason, soon),
            LeaseMessage::Lend(device, generation) => self.lend(&device, &generation),
            LeaseMessage::RadioRead(operation, device, result) => self.radio_read(operation, &device, result),
            LeaseMessage::RadioSet(operation, device, result) => self.radio_set(operation, &device, result),
            LeaseMessage::RadioRestored(operation, device, result) => self.radio_restored(operation, &device, result),
            LeaseMessage::PortsSeen(operation, seen) => self.ports_seen(operation, seen),
            LeaseMessage::FilesSeen(operation, seen) => self.files_seen(operation, seen),
            LeaseMessage::Close => {
                // Asked again by a root that was restarted, it says so again.
                self.closing = Closing::Asked;
                Vec::new()
            }
            LeaseMessage::Timer(LeaseTimer::Wait(holder)) => self.waited(&holder),
            LeaseMessage::Timer(LeaseTimer::LookAgain(holder)) => self.look_again(&holder),
            LeaseMessage::Timer(LeaseTimer::PutBack(device)) => self.try_again(&device),
        }
    }

    /// Everything that decides whether a request can be served.
    pub(super) fn situation(&self) -> Situation<'_> {
        let Self { devices, holders, radios, files, queue, .. } = self;
        Situation { devices, holders, radios, files, queue }
    }

    /// All who hold anything.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn all_holders(&self) -> Vec<Holder> {
        self.holders.iter().map(|(holder, _)| holder.clone()).collect()
    }

    /// The ports that a service holds.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn ports_of(&self, service: &mainstay_config::names::ServiceName) -> Vec<u16> {
        let holding = self.holders.get(&Holder::from(service));
        holding.into_iter().flat_map(|holding| holding.grant.ports.values().copied()).collect()
    }

    /// Something has changed about what somebody holds, or how it uses that: it is shown, and who waits for it is looked at again.
    pub(super) fn has_changed(&mut self, holder: &Holder) {
        self.changed.insert(holder.clone());
        if let Some(holding) = self.holders.get(holder) {
            holding.resources().for_each(|(resource, _)| self.queue.touch(&resource));
        }
    }

    /// Tells a holder to stop, unless it has been told.
    pub(super) fn take_from(&mut self, holder: &Holder, withdrawal: Withdrawal) -> Option<Effect<LeaseTimer>> {
        let told = self.holders.get_mut(holder)?.withdraw(holder, withdrawal);
        self.has_changed(holder);
        told
    }

    // ---- what those say who want leases, or hold them

    pub(super) fn request(&mut self, now: Moment, request: LeaseRequest) -> Out {
        if self.holders.contains(&request.holder) {
            // It withdrew, and asks again, before it has heard that it was served: it will take that for the answer.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        // Who asks again waits as long as before.
        let since = self.queue.get(&request.holder).map_or(now, |queued| queued.since);
        let mut out = self.withdraw(&request.holder);
        out.retain(|effect| !matches!(effect, Effect::Note(_)));
        if let Some(timeout) = request.timeout {
            out.push(Effect::SetTimer(LeaseTimer::Wait(request.holder.clone()), timeout));
        }
        self.changed.insert(request.holder.clone());
        self.queue.insert(request, since);
        out
    }

    pub(super) fn withdraw(&mut self, holder: &Holder) -> Out {
        // What was being made ready for it is put back when that has been answered.
        if self.queue.remove(holder).is_none() {
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.changed.insert(holder.clone());
        end_waiting(holder).into()
    }

    pub(super) fn release(&mut self, holder: &Holder, token: Token) -> Out {
        if self.holders.get(holder).is_none_or(|holding| holding.grant.token != token) {
            // It was given back already; what it holds by now is another lease.
            return vec![Effect::Note(Outcome::Ignored)];
        }
        self.has_changed(holder);
        let Some(holding) = self.holders.remove(holder) else { return Vec::new() };
        // Of a radio it is said at once that it is being put back: nobody can lease it before it is.
        let told = holding.grant.devices.keys().filter(|name| !self.is_due(name));
        told.map(|name| tell_device(name, self.left_by_one(name))).collect()
    }

    fn set_use(&mut self, holder: &Holder, wanted: Use) -> Out {
        match self.holders.get_mut(holder) {
            // Draining ends with the release only.
            Some(holding) if holding.is_undisturbed() => {
                holding.r#use = wanted;
                self.has_changed(holder);
                Vec::new()
            }
            _ => vec![Effect::Note(Outcome::Ignored)],
        }
    }

    /// Its radio stays as it is: a process may still use it.
    fn abandon(&mut self, holder: &Holder) -> Out {
        let Some(holding) = self.holders.get_mut(holder) else { return vec![Effect::Note(Outcome::Ignored)] };
        holding.r#use = Use::Abandoned;
        self.has_changed(holder);
        Vec::new()
    }

    /// Whether nothing is held any more, and every radio is as it was; but for what is not waited for.
    fn is_settled(&self) -> bool {
        let is_left = |holding: &Holding| holding.r#use == Use::Abandoned;
        let left = |device: &DeviceName| {
            let mut holders = self.holders.of_device(device).filter_map(|holder| self.holders.get(holder));
            holders.any(is_left)
        };
        self.holders.iter().all(|(_, holding)| is_left(holding)) && self.radios.are_settled_but_for(left)
    }

    fn waited(&mut self, holder: &Holder) -> Out {
        let Some(queued) = self.queue.get(holder) else { return vec![Effect::Note(Outcome::Superseded)] };
        let Some(timeout) = queued.request.timeout else { return Vec::new() };
        let is_nobodys = |blocker: &Blocker| matches!(blocker, Blocker::Device { .. } | Blocker::UnknownFile { .. });
        if queued.blockers.iter().any(is_nobodys) || queued.preparation.is_some() {
            // Only waiting for other holders is bounded.
            return vec![Effect::SetTimer(LeaseTimer::Wait(holder.clone()), timeout)];
        }
        let blockers = Listed::of(queued.blockers.iter().cloned(), queued.blockers.len());
        let refusal = Refusal::WaitedTooLong { patience: timeout, blockers };
        let mut out = self.withdraw(holder);
        out.extend(refuse(holder, refusal));
        out
    }

    fn perhaps_closed(&mut self, out: &mut Out) {
        if self.closing == Closing::No || !self.is_settled() {
            return;
        }
        let left: Vec<_> = self.holders.iter().map(|(holder, _)| holder.clone()).collect();
        // Who ended after all has given back what it held: that is said anew.
        let said = Closing::Said(left.clone());
        if self.closing != said {
            self.closing = said;
            out.push(Effect::Tell(Message::Root(RootMessage::LeasesClosed(left))));
        }
    }
}

/// The timers of a request that waits no longer.
pub(super) fn end_waiting(holder: &Holder) -> [Effect<LeaseTimer>; 2] {
    [LeaseTimer::Wait(holder.clone()), LeaseTimer::LookAgain(holder.clone())].map(Effect::CancelTimer)
}

pub(super) fn refuse(holder: &Holder, refusal: Refusal) -> Option<Effect<LeaseTimer>> {
    tell(holder, ServiceMessage::Refused(refusal))
}

/// Tells a holder. Those outside and mainstay itself do not ask for leases in this version, and have nobody who listens.
pub(super) fn tell(holder: &Holder, message: ServiceMessage) -> Option<Effect<LeaseTimer>> {
    holder.service().map(|name| tell_service(name, message))
}

pub(super) fn tell_service(name: &ServiceName, message: ServiceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Service(name.clone(), message))
}

pub(super) fn tell_device(name: &DeviceName, message: DeviceMessage) -> Effect<LeaseTimer> {
    Effect::Tell(Message::Device(name.clone(), message))
}
