//! What the registry makes of devices that come and go.

use mainstay_config::names::DeviceName;

use super::holding::Holding;
use super::machine::{LeaseMachine, Out, tell, tell_device, tell_service};
use super::preparation::Preparation;
use super::queue::DeviceState;
use crate::cause::{Holder, Soon, Unusable, Withdrawal, Withheld};
use crate::message::device::{DeviceMessage, Offer};
use crate::message::service::ServiceMessage;

impl LeaseMachine {
    pub(super) fn available(&mut self, device: &DeviceName, offer: Offer) -> Out {
        let mut out = self.revoke_older(device, &offer);
        out.extend(self.correct(device, &offer));
        let is_older = |held: &Offer| held.generation != offer.generation;
        self.drop_preparations(|preparation| preparation.offers.get(device).is_some_and(is_older));
        let known = match self.devices.get(device) {
            Some(DeviceState::Available(known)) => known.generation == offer.generation,
            _ => false,
        };
        if !known {
            let arrived =
                |name| tell_service(name, ServiceMessage::DeviceArrived(device.clone(), offer.generation.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(arrived));
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
        let preparations = self.queue.iter_mut().filter_map(|queued| queued.preparation.as_mut());
        let prepared = preparations.filter_map(|preparation| preparation.offers.get_mut(device));
        prepared.filter(|known| is_outdated(known)).for_each(|known| *known = offer.clone());
        let mut out = Vec::new();
        for (name, holding) in &mut self.holders {
            if let Some(held) = holding.grant.devices.get_mut(device)
                && is_outdated(&held.offer)
            {
                held.offer = offer.clone();
                out.extend(tell(name, ServiceMessage::Corrected(device.clone(), offer.clone())));
            }
        }
        out
    }

    /// A holder of an earlier arrival must stop before the new one can be leased.
    pub(super) fn revoke_older(&mut self, device: &DeviceName, offer: &Offer) -> Out {
        let older = self.holders.values().any(|holding| {
            holding.grant.devices.get(device).is_some_and(|held| held.offer.generation != offer.generation)
        });
        if older { self.revoke(device, &Withdrawal::Replugged(device.clone())) } else { Vec::new() }
    }

    pub(super) fn unavailable(&mut self, device: &DeviceName, reason: Unusable, soon: Soon) -> Out {
        let withdrawal = Withdrawal::Lost { device: device.clone(), why: reason.clone() };
        let before = self.devices.insert(device.clone(), DeviceState::Unavailable { reason, soon });
        let mut out = self.revoke(device, &withdrawal);
        if matches!(before, Some(DeviceState::Available(_))) {
            let left = |name| tell_service(name, ServiceMessage::DeviceLeft(device.clone()));
            out.extend(self.users.get(device).into_iter().flatten().map(left));
        }
        self.drop_preparations(|preparation| preparation.offers.contains_key(device));
        out.extend(self.hasten(device));
        out
    }

    /// Lets those wait again for whom something was made ready that is no longer there.
    fn drop_preparations(&mut self, concerns: impl Fn(&Preparation) -> bool) {
        for queued in &mut self.queue {
            if queued.preparation.as_ref().is_some_and(&concerns) {
                queued.preparation = None;
            }
        }
    }

    /// Tells every holder of a device to stop.
    pub(super) fn revoke(&mut self, device: &DeviceName, why: &Withdrawal) -> Out {
        let holders = self.holders.iter_mut().filter(|(_, holding)| holding.grant.devices.contains_key(device));
        holders.filter_map(|(name, holding)| holding.withdraw(name, why.clone())).collect()
    }

    /// What a device was told last.
    pub(super) fn said_to_device(&self, device: &DeviceName) -> Option<DeviceMessage> {
        let given_up = self.radios.given_up(device).cloned().map(DeviceMessage::Fault);
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
        let other = || self.holder_of(device).map(|holder| DeviceMessage::Leased { holder });
        self.said_of_present(device).or_else(other).unwrap_or(DeviceMessage::Unleased)
    }

    fn said_of_present(&self, device: &DeviceName) -> Option<DeviceMessage> {
        match self.devices.get(device) {
            Some(DeviceState::Available(offer)) => self.said_of_holders(device, offer),
            _ => None,
        }
    }

    /// What an arrival of a device is told of those who hold it, or still hold an earlier one.
    fn said_of_holders(&self, device: &DeviceName, offer: &Offer) -> Option<DeviceMessage> {
        let holder = self.holder_of_arrival(device, offer);
        let earlier = |holder| DeviceMessage::Withheld(Withheld::EarlierHolder(holder));
        holder.map(|holder| DeviceMessage::Leased { holder }).or_else(|| self.holder_of(device).map(earlier))
    }

    /// Who holds this arrival of a device, and not an earlier one.
    fn holder_of_arrival(&self, device: &DeviceName, offer: &Offer) -> Option<Holder> {
        let holds = |holding: &Holding| {
            holding.grant.devices.get(device).is_some_and(|held| held.offer.generation == offer.generation)
        };
        self.holders.iter().find(|(_, holding)| holds(holding)).map(|(name, _)| name.clone())
    }

    pub(super) fn holder_of(&self, device: &DeviceName) -> Option<Holder> {
        self.holders
            .iter()
            .find(|(_, holding)| holding.grant.devices.contains_key(device))
            .map(|(name, _)| name.clone())
    }
}
