//! Who waits, in which order, and for what.
//!
//! Order: priority, then arrival, then name. A request that waits for an absent device reserves nothing; any other keeps
//! lower ranks from overtaking it on what it wants.

use std::collections::BTreeMap;

use mainstay_config::model::{PortNeed, Sharing};
use mainstay_config::names::{DeviceName, PortName};
use mainstay_config::port_choice;
use mainstay_hardware::error::Error;

use super::files::{Files, others};
use super::holding::{Holding, Use, excludes};
use super::preparation::Preparation;
use super::radios::Radios;
use crate::action::ports::Listener;
use crate::cause::{Blocker, Holder, Resource, Soon, Unusable};
use crate::message::device::Offer;
use crate::message::lease::{LeaseRequest, Want};

/// What the registry knows of a device.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) enum DeviceState {
    Available(Offer),
    /// It has been lent to itself, to be asked what it is.
    Lent(Offer),
    Unavailable {
        reason: Unusable,
        soon: Soon,
    },
}

/// One request that is not granted yet.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Queued {
    pub(super) request: LeaseRequest,
    pub(super) blockers: Vec<Blocker>,
    pub(super) preparation: Option<Preparation>,
    /// Ports of a range on which somebody else was seen to listen.
    pub(super) foreign: BTreeMap<u16, Listener>,
    /// A radio that could not even be tried to be made ready, and why.
    pub(super) untried: Option<(DeviceName, Error)>,
}

impl Queued {
    pub(super) fn new(request: LeaseRequest) -> Self {
        Self { request, blockers: Vec::new(), preparation: None, foreign: BTreeMap::new(), untried: None }
    }

    fn rank(&self) -> (std::cmp::Reverse<i32>, crate::message::Moment, &Holder) {
        (std::cmp::Reverse(self.request.priority), self.request.arrival, &self.request.holder)
    }
}

/// Puts the queue in order.
pub(super) fn sort(queue: &mut [Queued]) {
    queue.sort_by(|a, b| a.rank().cmp(&b.rank()));
}

/// Everything that decides whether a request can be served.
pub(super) struct Situation<'a> {
    pub(super) devices: &'a BTreeMap<DeviceName, DeviceState>,
    pub(super) holders: &'a BTreeMap<Holder, Holding>,
    pub(super) radios: &'a Radios,
    pub(super) files: &'a Files,
    pub(super) reserved: &'a Reserved,
}

/// Whether a request can be served now.
pub(super) enum Prospect {
    /// It can, with these ports.
    Free(BTreeMap<PortName, u16>),
    /// It must wait.
    Blocked(Vec<Blocker>),
}

impl Situation<'_> {
    /// Looks at one request.
    pub(super) fn prospect(&self, queued: &Queued) -> Prospect {
        let asking = &queued.request.holder;
        let mut blockers = Vec::new();
        let mut ports = Vec::new();
        for want in &queued.request.wants {
            match want {
                Want::Device { device, sharing, .. } => {
                    blockers.extend(self.device_blocker(asking, device, *sharing));
                }
                Want::Port { name, need, .. } => ports.push((name, *need)),
                Want::File(_) | Want::Named(_) | Want::Conflict(..) => {}
            }
        }
        blockers.extend(others(queued).filter_map(|(resource, sharing)| self.taken(asking, &resource, sharing)));
        blockers.extend(queued.untried.as_ref().map(|(device, reason)| Blocker::Device {
            device: device.clone(),
            reason: Unusable::NotTried(reason.clone()),
            soon: Soon::Yes,
        }));
        let (ports, missing) = self.choose_ports(&ports, queued);
        blockers.extend(missing);
        if blockers.is_empty() { Prospect::Free(ports) } else { Prospect::Blocked(blockers) }
    }

    fn device_blocker(&self, asking: &Holder, device: &DeviceName, sharing: Sharing) -> Option<Blocker> {
        let offer = match self.devices.get(device) {
            Some(DeviceState::Available(offer)) => offer,
            Some(DeviceState::Lent(_)) => {
                return Some(Blocker::Device { device: device.clone(), reason: Unusable::LookedAt, soon: Soon::Yes });
            }
            Some(DeviceState::Unavailable { reason, soon }) => {
                return Some(Blocker::Device { device: device.clone(), reason: reason.clone(), soon: *soon });
            }
            None => {
                let reason = Unusable::NotHeardOf;
                return Some(Blocker::Device { device: device.clone(), reason, soon: Soon::Yes });
            }
        };
        let resource = Resource::Device(device.clone());
        match self.radios.blocker(device) {
            // Whoever it is being made ready for comes first.
            Some(Blocker::Preparing) => return self.taken(asking, &resource, sharing).or(Some(Blocker::Preparing)),
            Some(blocker) => return Some(blocker),
            None => {}
        }
        // Also those who share wait until the holders of an earlier arrival have stopped.
        let earlier = self.holders.iter().find(|(_, holding)| {
            holding.grant.devices.get(device).is_some_and(|held| held.offer.generation != offer.generation)
        });
        if let Some((holder, _)) = earlier {
            return Some(Blocker::Held { resource, holder: holder.clone() });
        }
        self.taken(asking, &resource, sharing)
    }

    /// Who has a resource, or comes first for it.
    fn taken(&self, asking: &Holder, resource: &Resource, sharing: Sharing) -> Option<Blocker> {
        let holder = self.holders.iter().find(|(holder, holding)| {
            let has = |(held, how): (Resource, Sharing)| self.files.are_same(&held, resource) && excludes(how, sharing);
            *holder != asking && holding.resources().any(has)
        });
        if let Some((holder, _)) = holder {
            return Some(Blocker::Held { resource: resource.clone(), holder: holder.clone() });
        }
        // Only files have more than one name.
        let other_names = matches!(resource, Resource::File(_)).then(|| self.reserved.iter()).into_iter().flatten();
        let other_names = other_names.filter(|(other, _)| self.files.are_same(other, resource)).map(|(_, all)| all);
        let mut all = self.reserved.get(resource).into_iter().chain(other_names).flatten();
        let ahead = all.find(|(first, how)| first != asking && excludes(*how, sharing));
        ahead.map(|(first, _)| Blocker::Behind { resource: resource.clone(), first: first.clone() })
    }

    /// A number for every port, as far as there are any, and what stands in the way of the others.
    pub(super) fn choose_ports(
        &self,
        ports: &[(&PortName, PortNeed)],
        queued: &Queued,
    ) -> (BTreeMap<PortName, u16>, Vec<Blocker>) {
        let needs: Vec<PortNeed> = ports.iter().map(|(_, need)| *need).collect();
        let blocker = |need, port| self.port_blocker(need, port, queued);
        let choice = port_choice::choose(&needs, |need, port| blocker(need, port).is_none());
        let given = choice.given.into_iter().filter_map(|(port, at)| Some((ports.get(at)?.0.clone(), port)));
        let missing = choice.shortages.into_iter().filter_map(|shortage| {
            // Its own numbers first, then those of the needs that it shares the free ones with.
            let rivals = std::iter::once(shortage.last).chain(shortage.needs);
            let rivals = rivals.filter_map(|at| needs.get(at).copied());
            let all = rivals.flat_map(|need| port_choice::numbers(need).map(move |port| (need, port)));
            // The first of those who are the first to give way.
            all.filter_map(|(need, port)| blocker(need, port)).min_by_key(|blocker| self.patience(blocker))
        });
        (given.collect(), missing.collect())
    }

    /// How long it may take until this is no longer in the way: who is giving way first, then who would.
    fn patience(&self, blocker: &Blocker) -> u8 {
        let Blocker::Held { holder, .. } = blocker else { return 2 };
        match self.holders.get(holder).map(|holding| &holding.r#use) {
            Some(Use::Draining(_)) => 0,
            Some(Use::Idle) => 1,
            Some(Use::Active | Use::Abandoned) | None => 2,
        }
    }

    /// What stands in the way of giving this port.
    fn port_blocker(&self, need: PortNeed, port: u16, queued: &Queued) -> Option<Blocker> {
        match (need, queued.foreign.get(&port)) {
            // Of a fixed port it is said when it is looked at: no other can be taken instead.
            (PortNeed::Range { .. }, Some(listener)) => {
                Some(Blocker::ForeignListener { port, listener: listener.clone() })
            }
            _ => self.taken(&queued.request.holder, &Resource::Port(port), Sharing::Exclusive),
        }
    }
}

/// What requests further ahead are being given, or wait for.
pub(super) type Reserved = BTreeMap<Resource, Vec<(Holder, Sharing)>>;

/// Keeps what a request wants from lower ranks.
pub(super) fn reserve(queued: &Queued, reserved: &mut Reserved) {
    // What could not even be tried is there, and he comes first for it.
    let untried = queued.untried.as_ref().map(|(device, _)| device);
    let is_absent = |blocker: &Blocker| matches!(blocker, Blocker::Device { device, .. } if Some(device) != untried);
    if queued.blockers.iter().any(is_absent) {
        return;
    }
    let asking = &queued.request.holder;
    let mut keep = |resource: Resource, sharing: Sharing| {
        reserved.entry(resource).or_default().push((asking.clone(), sharing));
    };
    for want in &queued.request.wants {
        match want {
            Want::Device { device, sharing, .. } => keep(Resource::Device(device.clone()), *sharing),
            Want::Port { need: PortNeed::Fixed(port), .. } => keep(Resource::Port(port.get()), Sharing::Exclusive),
            Want::Port { need: PortNeed::Range { .. }, .. } => {}
            Want::File(_) | Want::Named(_) | Want::Conflict(..) => {}
        }
    }
    others(queued).for_each(|(resource, sharing)| keep(resource, sharing));
    for port in queued.preparation.iter().flat_map(|preparation| preparation.ports.values()) {
        keep(Resource::Port(*port), Sharing::Exclusive);
    }
}
