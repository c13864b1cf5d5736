//! The registry after a panic, and what it says again after a panic of another actor.

use mainstay_config::names::ServiceName;

use super::holding::{Holding, Use};
use super::machine::{Closing, LeaseMachine, Out, tell};
use super::preparation::Preparation;
use super::prospect::DeviceState;
use super::queue::Queue;
use crate::cause::{Holder, Withdrawal};
use crate::message::device::{Awaited, DeviceMessage};
use crate::message::lease::{Statement, StillUsed};
use crate::message::service::ServiceMessage;
use crate::message::supervision::RootMessage;
use crate::message::{Action, ActorId, Effect, Message, Moment, Outcome};

impl LeaseMachine {
    /// Who holds and who wants what is kept, and how radios were before; the rest is told again or found out anew.
    pub(super) fn reduced(&self) -> Self {
        let mut queue = Queue::default();
        self.queue.iter().for_each(|queued| queue.insert(queued.request.clone(), queued.since));
        Self { devices: Default::default(), awaited: Default::default(), queue, ..self.clone() }
    }

    /// What was under way may have been lost.
    pub(super) fn begin_again(&mut self) -> Out {
        let mut out = self.begin_radios_again();
        out.push(Effect::Act(Action::Remember(self.tokens.are_set_aside())));
        for holder in self.queue.iter().map(|queued| queued.request.holder.clone()).collect::<Vec<_>>() {
            self.look_once_more(&holder, &mut out);
        }
        self.queue.unsettle();
        self.publish_all(&mut out);
        out
    }

    /// Whatever is looked at for somebody is looked at once more.
    fn look_once_more(&mut self, holder: &Holder, out: &mut Out) {
        let Some(queued) = self.queue.get(holder) else { return };
        let Some(Preparation { looking, files, ports, .. }) = queued.preparation.clone() else { return };
        let request = queued.request.clone();
        let looking = looking.map(|_| self.look_at_ports(&request, &ports, out));
        let files = files.and_then(|_| self.look_at_files(&request, out));
        self.queue.change(holder, |queued| {
            queued
                .preparation
                .iter_mut()
                .for_each(|preparation| (preparation.looking, preparation.files) = (looking, files));
        });
    }

    pub(super) fn say_again(&self, to: &ActorId) -> Vec<Message> {
        match to {
            ActorId::Service(name) => {
                let said = self.said_to_service(name);
                said.into_iter().map(|message| Message::Service(name.clone(), message)).collect()
            }
            ActorId::Device(name) => {
                let awaits = if self.awaited.contains(name) { Awaited::Somebody } else { Awaited::Nobody };
                let said = [self.said_to_device(name), Some(DeviceMessage::Awaited(awaits))];
                said.into_iter().flatten().map(|message| Message::Device(name.clone(), message)).collect()
            }
            ActorId::Root => match &self.closing {
                Closing::Said(left) => vec![Message::Root(RootMessage::LeasesClosed(left.clone()))],
                Closing::No | Closing::Asked => Vec::new(),
            },
            ActorId::Hardware | ActorId::Leases | ActorId::Services => Vec::new(),
        }
    }

    fn said_to_service(&self, name: &ServiceName) -> Vec<ServiceMessage> {
        let mut said = Vec::new();
        let used = self.users.iter().filter(|(_, users)| users.contains(name));
        for (device, _) in used {
            said.push(match self.devices.get(device) {
                Some(DeviceState::Available(offer) | DeviceState::Lent(offer)) => {
                    ServiceMessage::DeviceArrived(device.clone(), offer.generation.clone())
                }
                Some(DeviceState::Unavailable { .. }) => ServiceMessage::DeviceLeft(device.clone()),
                None => continue,
            });
        }
        let queued = self.queue.get(&Holder::from(name));
        match (self.holders.get(&Holder::from(name)), queued) {
            (Some(holding), _) => {
                said.push(ServiceMessage::Granted(holding.grant.clone()));
                said.extend(holding.withdrawn());
            }
            (None, Some(queued)) => said.push(ServiceMessage::Queued(queued.blockers.clone())),
            (None, None) => said.push(ServiceMessage::NothingHeld),
        }
        said
    }

    /// What a service says of itself again: what was lost of what it said before is made good.
    pub(super) fn stands(&mut self, now: Moment, statement: Statement) -> Out {
        let Statement { holder, held, given_back, uses, wants } = statement;
        let known = self.holders.get(&holder).map(|holding| holding.grant.token);
        let mut out = match known {
            Some(token) if Some(token) == held => {
                if let Some(holding) = self.holders.get_mut(&holder).filter(|holding| holding.is_undisturbed()) {
                    holding.r#use = match uses {
                        StillUsed::Yes => Use::Active,
                        StillUsed::InBackoff => Use::Idle,
                    };
                    self.has_changed(&holder);
                }
                Vec::new()
            }
            Some(token) if token <= given_back => self.release(&holder, token),
            // It is on its way to the service, or it never knew.
            _ => Vec::new(),
        };
        let is_queued = self.queue.get(&holder).is_some();
        match wants {
            Some(request) if !is_queued && !self.holders.contains(&holder) => out.extend(self.request(now, request)),
            None if is_queued => out.extend(self.withdraw(&holder)),
            _ => {}
        }
        out.retain(|effect| !matches!(effect, Effect::Note(_)));
        if out.is_empty() {
            out.push(Effect::Note(Outcome::Ignored));
        }
        out
    }
}

impl Holding {
    /// Whether its holder has not been told to stop.
    pub(super) fn is_undisturbed(&self) -> bool {
        matches!(self.r#use, Use::Active | Use::Idle)
    }

    /// What its holder was told when it was withdrawn.
    pub(super) fn withdrawn(&self) -> Option<ServiceMessage> {
        match &self.r#use {
            Use::Draining(withdrawal) => Some(ServiceMessage::Revoked(self.grant.token, withdrawal.clone())),
            Use::Active | Use::Idle | Use::Abandoned => None,
        }
    }

    /// Tells its holder to stop, unless it has been told.
    pub(super) fn withdraw(
        &mut self,
        holder: &Holder,
        withdrawal: Withdrawal,
    ) -> Option<Effect<crate::message::lease::LeaseTimer>> {
        if !self.is_undisturbed() {
            return None;
        }
        self.r#use = Use::Draining(withdrawal);
        self.withdrawn().and_then(|news| tell(holder, news))
    }
}
