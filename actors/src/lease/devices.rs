//! What the registry makes of devices that come and go.

use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::Generation;

use super::machine::{Closing, LeaseMachine, Out, tell, tell_device, tell_service};
use super::prospect::DeviceState;
use crate::cause::{Holder, Soon, Unusable, Withdrawal, Withheld};
use crate::message::device::{DeviceMessage, Offer};
use crate::message::service::ServiceMessage;
use crate::message::{Effect, Outcome};

impl LeaseMachine {
    pub(super) fn available(&mut self, device: &DeviceName, offer: Offer) -> Out {
        let mut out = self.revoke_older(device, &offer);
        out.extend(self.correct(device, &offer));
        let is_older = |held: &Offer| held.generation != offer.generation;
        self.drop_preparations(device, is_older);
        let known = match self.devices.get(device) {
            Some(DeviceState::Available(known) | DeviceState::Lent(known)) => known.generation == offer.generation,
            Some(DeviceState::Unavailable { .. }) | None => false,
        };
        if !known {
            let arrived =
                |name| tell_service(name, ServiceMessage::DeviceArrived(device.clone(), offer.generation.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(arrived));
            out.extend(self.forget_earlier(device, &offer.generation));
            out.extend(self.hasten(device));
            out.extend(self.try_anew(device));
        }
        let said = self.said_of_holders(device, &offer);
        let is_news = |said: &DeviceMessage| !known || matches!(said, DeviceMessage::Leased { .. });
        out.extend(said.filter(is_news).map(|said| tell_device(device, said)));
        self.devices.insert(device.clone(), DeviceState::Available(offer));
        out
    }

    /// It may have been renamed since it was offered: whoever has this arrival of it, or is about to, shall know it by its present name.
    fn correct(&mut self, device: &DeviceName, offer: &Offer) -> Out {
        let is_outdated = |known: &Offer| known.generation == offer.generation && known != offer;
        for holder in self.queue.prepared_with(device) {
            self.queue.change(&holder, |queued| {
                let known = queued.preparation.as_mut().and_then(|preparation| preparation.offers.get_mut(device));
                known.into_iter().filter(|known| is_outdated(known)).for_each(|known| *known = offer.clone());
            });
        }
        let mut out = Vec::new();
        for holder in self.holders.of_device(device).cloned().collect::<Vec<_>>() {
            let held = self.holders.get_mut(&holder).and_then(|holding| holding.grant.devices.get_mut(device));
            if let Some(held) = held.filter(|held| is_outdated(&held.offer)) {
                held.offer = offer.clone();
                out.extend(tell(&holder, ServiceMessage::Corrected(device.clone(), offer.clone())));
            }
        }
        out
    }

    /// A holder of an earlier arrival must stop before the new one can be leased.
    pub(super) fn revoke_older(&mut self, device: &DeviceName, offer: &Offer) -> Out {
        let is_older = |holder: &Holder| self.holders.holds(holder, device, &offer.generation) == Some(false);
        if self.holders.of_device(device).any(is_older) {
            self.revoke(device, &Withdrawal::Replugged(device.clone()))
        } else {
            Vec::new()
        }
    }

    pub(super) fn unavailable(&mut self, device: &DeviceName, reason: Unusable, soon: Soon) -> Out {
        let withdrawal = Withdrawal::Lost { device: device.clone(), why: reason.clone() };
        let before = self.devices.insert(device.clone(), DeviceState::Unavailable { reason, soon });
        let mut out = self.revoke(device, &withdrawal);
        if matches!(before, Some(DeviceState::Available(_) | DeviceState::Lent(_))) {
            let left = |name| tell_service(name, ServiceMessage::DeviceLeft(device.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(left));
        }
        self.drop_preparations(device, |_| true);
        out.extend(self.hasten(device));
        out
    }

    /// Lends a device to itself, when nobody has it and nobody wants it.
    pub(super) fn lend(&mut self, device: &DeviceName, generation: &Generation) -> Out {
        let is_wanted = self.queue.is_wished(device) || self.holder_of(device).is_some() || self.closing != Closing::No;
        match self.devices.get(device) {
            Some(DeviceState::Available(offer)) if offer.generation == *generation && !is_wanted => {
                self.devices.insert(device.clone(), DeviceState::Lent(offer.clone()));
                vec![tell_device(device, DeviceMessage::Lent(generation.clone()))]
            }
            Some(DeviceState::Available(_) | DeviceState::Lent(_) | DeviceState::Unavailable { .. }) | None => {
                vec![Effect::Note(Outcome::Ignored)]
            }
        }
    }

    /// Lets those wait again for whom something was made ready that is no longer there.
    fn drop_preparations(&mut self, device: &DeviceName, is_gone: impl Fn(&Offer) -> bool) {
        for holder in self.queue.prepared_with(device) {
            self.queue.change(&holder, |queued| {
                let offer = queued.preparation.as_ref().and_then(|preparation| preparation.offers.get(device));
                if offer.is_some_and(&is_gone) {
                    queued.preparation = None;
                }
            });
        }
    }

    /// Tells every holder of a device to stop.
    pub(super) fn revoke(&mut self, device: &DeviceName, why: &Withdrawal) -> Out {
        let holders: Vec<Holder> = self.holders.of_device(device).cloned().collect();
        holders.iter().filter_map(|holder| self.take_from(holder, why.clone())).collect()
    }

    /// What a device was told last.
    pub(super) fn said_to_device(&self, device: &DeviceName) -> Option<DeviceMessage> {
        let given_up = self.radios.given_up(device);
        let put_back = || {
            let withheld = self.radios.is_being_put_back(device) || self.is_due(device);
            withheld.then_some(DeviceMessage::Withheld(Withheld::PuttingBack))
        };
        given_up.or_else(put_back).or_else(|| Some(self.left_by_one(device)))
    }

    /// What a device is told when one of its holders has let go: those who share its present arrival with him go on, and those who
    /// shared the last one must still stop.
    pub(super) fn left_by_one(&self, device: &DeviceName) -> DeviceMessage {
        // One that is out of use is leased until the last of those who must stop for that has.
        let other = || self.holder_of(device).and_then(|holder| self.leased_by(holder));
        self.said_of_present(device).or_else(other).unwrap_or(DeviceMessage::Unleased)
    }

    fn said_of_present(&self, device: &DeviceName) -> Option<DeviceMessage> {
        match self.devices.get(device) {
            Some(DeviceState::Available(offer)) => self.said_of_holders(device, offer),
            Some(DeviceState::Lent(_) | DeviceState::Unavailable { .. }) | None => None,
        }
    }

    /// What an arrival of a device is told of those who hold it, or still hold an earlier one.
    fn said_of_holders(&self, device: &DeviceName, offer: &Offer) -> Option<DeviceMessage> {
        let holder = self.holder_of_arrival(device, offer);
        let earlier = |holder| DeviceMessage::Withheld(Withheld::EarlierHolder(holder));
        holder.and_then(|holder| self.leased_by(holder)).or_else(|| self.holder_of(device).map(earlier))
    }

    fn leased_by(&self, holder: Holder) -> Option<DeviceMessage> {
        let since = self.holders.get(&holder)?.grant.since;
        Some(DeviceMessage::Leased { holder, since })
    }

    /// Who holds this arrival of a device, and not an earlier one.
    fn holder_of_arrival(&self, device: &DeviceName, offer: &Offer) -> Option<Holder> {
        let holds = |holder: &&Holder| self.holders.holds(holder, device, &offer.generation) == Some(true);
        self.holders.of_device(device).find(holds).cloned()
    }

    pub(super) fn holder_of(&self, device: &DeviceName) -> Option<Holder> {
        self.holders.of_device(device).next().cloned()
    }
}
