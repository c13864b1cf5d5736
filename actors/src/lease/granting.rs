//! Who is served: the queue is gone through after every message, and what can be granted is made ready and granted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::names::{DeviceName, PortName};

use super::holding::{Holding, Use};
use super::machine::{LeaseMachine, Out, end_waiting, tell, tell_device};
use super::preparation::Preparation;
use super::queue::{DeviceState, Prospect, Queued, Reserved, Situation, reserve};
use super::radios::{Change, Preparing, Step};
use crate::cause::{Blocker, Withdrawal};
use crate::message::device::{Awaited, DeviceMessage};
use crate::message::lease::LeaseTimer;
use crate::message::lease::{Grant, GrantedDevice, LeaseRequest, Token, Want};
use crate::message::service::ServiceMessage;
use crate::message::{Action, Effect, Moment};

/// Between two looks at a port that somebody else's program listens on.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl LeaseMachine {
    /// Goes through the queue in order and serves all that can be served.
    pub(super) fn settle(&mut self, now: Moment, out: &mut Out) {
        self.put_back_unused(out);
        self.look_at_queue(out);
        self.take_from_idle(out);
        while self.grant_prepared(now, out) {
            // Who waited behind somebody waits for a holder now.
            self.look_at_queue(out);
        }
        self.tell_awaited(out);
    }

    /// Goes through the queue in order: makes ready what is free, and tells everybody else what they wait for.
    fn look_at_queue(&mut self, out: &mut Out) {
        let mut queue = std::mem::take(&mut self.queue);
        let mut reserved = BTreeMap::new();
        // What is being made ready for somebody is not taken away by somebody who has come since and goes first.
        for queued in queue.iter().filter(|queued| queued.preparation.is_some()) {
            reserve(queued, &mut reserved);
        }
        for queued in queue.iter_mut().filter(|queued| queued.preparation.is_none()) {
            match self.situation(&reserved).prospect(queued) {
                Prospect::Free(ports) => {
                    let preparation = self.prepare(queued, ports, &reserved, out);
                    queued.preparation = Some(preparation);
                    out.extend(tell_blockers(queued, Vec::new()).into_iter().flatten());
                }
                Prospect::Blocked(blockers) => {
                    if let Some(effects) = tell_blockers(queued, blockers) {
                        out.extend(effects);
                        out.extend(look_again_later(queued));
                    }
                }
            }
            reserve(queued, &mut reserved);
        }
        self.queue = queue;
    }

    /// How things stand for whoever does not come first for these.
    pub(super) fn situation<'a>(&'a self, reserved: &'a Reserved) -> Situation<'a> {
        Situation { devices: &self.devices, holders: &self.holders, radios: &self.radios, files: &self.files, reserved }
    }

    /// Begins to make ready what a request wants.
    fn prepare(
        &mut self,
        queued: &Queued,
        ports: BTreeMap<PortName, u16>,
        reserved: &Reserved,
        out: &mut Out,
    ) -> Preparation {
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
            let operation = self.operation.advance();
            self.radios.preparing.insert(device.clone(), Preparing { operation, change, step: Step::Read });
            out.push(Effect::Act(Action::ReadRadio { operation, device: device.clone(), ifindex }));
        }
        if !preparation.ports.is_empty() {
            preparation.looking = Some(self.look_at_ports(&queued.request, &preparation.ports, out));
        }
        preparation.files = self.look_at_files(&queued.request, reserved, out);
        preparation
    }

    /// Who waits out a back-off gives way to who waits.
    pub(super) fn take_from_idle(&mut self, out: &mut Out) {
        for queued in &self.queue {
            for blocker in &queued.blockers {
                let Blocker::Held { resource, holder } = blocker else { continue };
                let Some(holding) = self.holders.get_mut(holder) else { continue };
                if holding.r#use == Use::Idle {
                    let to = queued.request.holder.clone();
                    out.extend(holding.withdraw(holder, Withdrawal::GivingWay { to, resource: resource.clone() }));
                }
            }
        }
    }

    /// Grants what has been made ready; whether there was anything to grant.
    fn grant_prepared(&mut self, now: Moment, out: &mut Out) -> bool {
        let is_done = |queued: &mut Queued| queued.preparation.as_ref().is_some_and(Preparation::is_done);
        let granted: Vec<Queued> = self.queue.extract_if(.., is_done).collect();
        let any = !granted.is_empty();
        for queued in granted {
            let Some(preparation) = queued.preparation else { continue };
            let holder = queued.request.holder.clone();
            self.last_token = self.last_token.saturating_add(1);
            let grant = grant(Token(self.last_token), now, &queued.request, preparation);
            out.extend(end_waiting(&holder));
            for device in grant.devices.keys() {
                out.push(tell_device(device, DeviceMessage::Leased { holder: holder.clone() }));
            }
            out.extend(tell(&holder, ServiceMessage::Granted(grant.clone())));
            self.holders.insert(holder, Holding::of(grant));
        }
        any
    }

    pub(super) fn tell_awaited(&mut self, out: &mut Out) {
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
}

fn grant(token: Token, since: Moment, request: &LeaseRequest, mut preparation: Preparation) -> Grant {
    let mut grant = Grant { token, since, devices: BTreeMap::new(), ports: preparation.ports, named: Vec::new() };
    for want in &request.wants {
        match want {
            Want::Device { device, sharing, .. } => {
                let Some(offer) = preparation.offers.remove(device) else { continue };
                grant.devices.insert(device.clone(), GrantedDevice { sharing: *sharing, offer });
            }
            other => grant.named.extend(other.other()),
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

/// Notes what a request waits for; when that has changed, whoever asks is told, if there is somebody to tell.
fn tell_blockers(queued: &mut Queued, blockers: Vec<Blocker>) -> Option<Option<Effect<LeaseTimer>>> {
    if queued.blockers == blockers {
        return None;
    }
    queued.blockers.clone_from(&blockers);
    Some(tell(&queued.request.holder, ServiceMessage::Queued(blockers)))
}
