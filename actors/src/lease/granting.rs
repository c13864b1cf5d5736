//! Who is served: after every message, those are looked at whom it concerns, and what can be granted is made ready and granted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::names::PortName;

use super::holding::{Holding, Use};
use super::machine::{LeaseMachine, Out, end_waiting, tell, tell_device};
use super::preparation::Preparation;
use super::prospect::{DeviceState, Prospect};
use super::queue::Queued;
use super::radios::{Change, Preparing, Step};
use crate::cause::{Blocker, Withdrawal};
use crate::message::device::{Awaited, DeviceMessage};
use crate::message::lease::{Grant, GrantedDevice, LeaseRequest, LeaseTimer, Rank, Token, Want};
use crate::message::service::ServiceMessage;
use crate::message::{Effect, Moment};

/// Between two looks at a port that somebody else's program listens on.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl LeaseMachine {
    /// Looks at everybody whom something that has happened concerns, in order, and serves all who can be served.
    pub(super) fn settle(&mut self, now: Moment, out: &mut Out) {
        self.forget_unbegun_radios();
        self.put_back_unused(out);
        // Who waited behind somebody waits for a holder when that one is served.
        while self.queue.is_unsettled() {
            let ready = self.look_at_queue(out);
            self.grant(ready, now, out);
        }
        self.tell_awaited(out);
    }

    /// Makes ready what is free, and tells everybody else what they wait for. Answers for whom everything is ready.
    fn look_at_queue(&mut self, out: &mut Out) -> BTreeSet<Rank> {
        let mut ready = BTreeSet::new();
        while let Some((rank, mut queued)) = self.queue.take_unsettled() {
            if queued.preparation.is_none() {
                self.look_at(&rank, &mut queued, out);
            }
            if let Some(preparation) = queued.preparation.as_ref().filter(|preparation| preparation.has_looked()) {
                self.begin_radios(preparation, out);
            }
            if queued.preparation.as_ref().is_some_and(Preparation::is_done) {
                ready.insert(rank.clone());
            }
            self.queue.put_back(rank, queued);
        }
        ready
    }

    fn look_at(&mut self, rank: &Rank, queued: &mut Queued, out: &mut Out) {
        match self.situation().prospect(rank, queued) {
            Prospect::Free(ports) => {
                let preparation = self.prepare(queued, ports, out);
                let mut waits_for_nothing = Vec::new();
                self.tell_blockers(queued, Vec::new(), &mut waits_for_nothing);
                // Who is served at once hears that instead.
                if !preparation.is_done() {
                    out.extend(waits_for_nothing);
                }
                queued.preparation = Some(preparation);
            }
            Prospect::Blocked(blockers) => {
                if self.tell_blockers(queued, blockers, out) {
                    out.extend(look_again_later(queued));
                }
                self.take_from_idle(queued, out);
            }
        }
    }

    /// Begins to make ready what a request wants.
    fn prepare(&mut self, queued: &Queued, ports: BTreeMap<PortName, u16>, out: &mut Out) -> Preparation {
        let (offers, radios) = (BTreeMap::new(), BTreeMap::new());
        let mut preparation = Preparation { offers, ports, looking: None, files: None, radios };
        for want in &queued.request.wants {
            let Want::Device { device, mode, takeover, .. } = want else { continue };
            let Some(DeviceState::Available(offer)) = self.devices.get(device) else { continue };
            preparation.offers.insert(device.clone(), offer.clone());
            // A radio that is shared is in its mode already.
            let Some(ifindex) = offer.ifindex.filter(|_| !self.radios.changed.contains_key(device)) else { continue };
            let change = Change { ifindex, mode: *mode, takeover: *takeover };
            preparation.radios.insert(device.clone(), change);
            let waiting = Preparing { operation: self.operation.advance(), change, step: Step::Waits };
            self.radios.preparing.insert(device.clone(), waiting);
        }
        if !preparation.ports.is_empty() {
            preparation.looking = Some(self.look_at_ports(&queued.request, &preparation.ports, out));
        }
        preparation.files = self.look_at_files(&queued.request, out);
        preparation
    }

    /// Who waits out a back-off gives way to who waits.
    fn take_from_idle(&mut self, queued: &Queued, out: &mut Out) {
        for blocker in &queued.blockers {
            let Blocker::Held { resource, holder } = blocker else { continue };
            if self.holders.get(holder).is_some_and(|holding| holding.r#use == Use::Idle) {
                let to = queued.request.holder.clone();
                let withdrawal = Withdrawal::GivingWay { to, resource: resource.clone() };
                out.extend(self.take_from(holder, withdrawal));
            }
        }
    }

    /// Grants what has been made ready.
    fn grant(&mut self, ready: BTreeSet<Rank>, now: Moment, out: &mut Out) {
        for rank in ready {
            let holder = rank.holder.clone();
            let Some(queued) = self.queue.remove(&holder) else { continue };
            let Some(preparation) = queued.preparation else { continue };
            let grant = grant(self.tokens.advance(), now, &queued.request, preparation);
            out.extend(end_waiting(&holder));
            // Him first: he is waited for.
            out.extend(tell(&holder, ServiceMessage::Granted(grant.clone())));
            for device in grant.devices.keys() {
                out.push(tell_device(device, DeviceMessage::Leased { holder: holder.clone(), since: now }));
            }
            self.holders.insert(holder.clone(), Holding::of(grant));
            self.has_changed(&holder);
        }
    }

    /// Notes what a request waits for; when that has changed, whoever asks is told, if there is somebody to tell. Answers whether it has.
    fn tell_blockers(&mut self, queued: &mut Queued, blockers: Vec<Blocker>, out: &mut Out) -> bool {
        if queued.blockers == blockers {
            return false;
        }
        queued.blockers.clone_from(&blockers);
        self.changed.insert(queued.request.holder.clone());
        out.extend(tell(&queued.request.holder, ServiceMessage::Queued(blockers)));
        true
    }

    fn tell_awaited(&mut self, out: &mut Out) {
        for (device, is_awaited) in self.queue.take_wishes() {
            let how = match is_awaited {
                true if self.awaited.insert(device.clone()) => Awaited::Somebody,
                false if self.awaited.remove(&device) => Awaited::Nobody,
                _ => continue,
            };
            out.push(tell_device(&device, DeviceMessage::Awaited(how)));
        }
    }
}

fn grant(token: Token, since: Moment, request: &LeaseRequest, mut preparation: Preparation) -> Grant {
    let mut grant = Grant { token, since, devices: BTreeMap::new(), ports: preparation.ports, named: Vec::new() };
    for want in &request.wants {
        match want {
            Want::Device { device, sharing, .. } => {
                let Some(offer) = preparation.offers.remove(device) else { continue };
                grant.devices.insert(device.clone(), GrantedDevice { sharing: *sharing, offer });
            }
            Want::Port { .. } => {}
            Want::Other(resource) => grant.named.push(resource.clone()),
        }
    }
    grant
}

/// Nobody says when a foreign program gives up its port, or a hung driver comes back, so that is tried again now and then.
fn look_again_later(queued: &Queued) -> Option<Effect<LeaseTimer>> {
    let timer = || LeaseTimer::LookAgain(queued.request.holder.clone());
    let is_unknown = !queued.foreign.is_empty() || queued.untried.is_some();
    is_unknown.then(|| Effect::SetTimer(timer(), LOOK_AGAIN))
}
