//! Whether a request can be served, and if not, what stands in its way.

use std::collections::BTreeMap;

use mainstay_config::model::{PortNeed, Sharing};
use mainstay_config::names::{DeviceName, PortName};
use mainstay_config::port_choice;

use super::files::Files;
use super::holding::{Holders, Holding, Use};
use super::queue::{Queue, Queued};
use super::radios::Radios;
use crate::action::ports::Listener;
use crate::cause::{Blocker, Holder, Resource, Soon, Unusable};
use crate::message::device::Offer;
use crate::message::lease::{Rank, Want};

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

/// Everything that decides whether a request can be served.
pub(super) struct Situation<'a> {
    pub(super) devices: &'a BTreeMap<DeviceName, DeviceState>,
    pub(super) holders: &'a Holders,
    pub(super) radios: &'a Radios,
    pub(super) files: &'a Files,
    pub(super) queue: &'a Queue,
}

/// Who asks for something.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) holder: &'a Holder,
    /// Its place in the line; `None`: it holds something, and asks for other ports.
    pub(super) rank: Option<&'a Rank>,
    /// Ports of a range on which somebody else was seen to listen.
    pub(super) foreign: &'a BTreeMap<u16, Listener>,
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
    pub(super) fn prospect(&self, rank: &Rank, queued: &Queued) -> Prospect {
        let asking = Asking { holder: &rank.holder, rank: Some(rank), foreign: &queued.foreign };
        let mut blockers = Vec::new();
        let mut ports = Vec::new();
        for want in &queued.request.wants {
            match want {
                Want::Device { device, sharing, .. } => {
                    blockers.extend(self.device_blocker(asking, device, *sharing));
                }
                Want::Port { name, need, .. } => ports.push((name, *need)),
                Want::Other(resource) => blockers.extend(self.taken(asking, resource, Sharing::Exclusive)),
            }
        }
        blockers.extend(queued.untried.clone());
        let (ports, missing) = self.choose_ports(&ports, asking);
        blockers.extend(missing);
        if blockers.is_empty() { Prospect::Free(ports) } else { Prospect::Blocked(blockers) }
    }

    fn device_blocker(&self, asking: Asking<'_>, device: &DeviceName, sharing: Sharing) -> Option<Blocker> {
        let unusable = |reason, soon| Some(Blocker::Device { device: device.clone(), reason, soon });
        let offer = match self.devices.get(device) {
            Some(DeviceState::Available(offer)) => offer,
            Some(DeviceState::Lent(_)) => return unusable(Unusable::LookedAt, Soon::Yes),
            Some(DeviceState::Unavailable { reason, soon }) => return unusable(reason.clone(), *soon),
            None => return unusable(Unusable::NotHeardOf, Soon::Yes),
        };
        let resource = Resource::Device(device.clone());
        match self.radios.blocker(device) {
            // Whoever it is being made ready for comes first.
            Some(Blocker::Preparing) => return self.taken(asking, &resource, sharing).or(Some(Blocker::Preparing)),
            Some(blocker) => return Some(blocker),
            None => {}
        }
        // Also those who share wait until the holders of an earlier arrival have stopped.
        let is_earlier = |holder: &&Holder| self.holders.holds(holder, device, &offer.generation) == Some(false);
        if let Some(holder) = self.holders.of_device(device).next().filter(is_earlier) {
            return Some(Blocker::Held { resource, holder: holder.clone() });
        }
        self.taken(asking, &resource, sharing)
    }

    /// Who has a resource, or comes first for it.
    fn taken(&self, asking: Asking<'_>, resource: &Resource, sharing: Sharing) -> Option<Blocker> {
        // For a port that it has, nobody comes before it.
        let has = |holding: &Holding| holding.grant.ports.values().any(|port| Resource::Port(*port) == *resource);
        if self.holders.get(asking.holder).is_some_and(has) {
            return None;
        }
        let has = |name| self.holders.excluding(name, sharing, asking.holder);
        let same_files = |known: &Resource| known != resource && self.files.are_same(known, resource);
        // Only files have more than one name.
        let is_file = matches!(resource, Resource::File(_));
        let other_names = is_file.then(|| self.holders.files()).into_iter().flatten().filter(|name| same_files(name));
        if let Some(holder) = std::iter::once(resource).chain(other_names).filter_map(has).min() {
            return Some(Blocker::Held { resource: resource.clone(), holder: holder.clone() });
        }
        let other_names =
            is_file.then(|| self.queue.kept_files()).into_iter().flatten().filter(|name| same_files(name));
        let mut names = std::iter::once(resource).chain(other_names);
        let first = names.find_map(|name| self.queue.first_for(name, sharing, asking.rank))?;
        Some(Blocker::Behind { resource: resource.clone(), first: first.clone() })
    }

    /// A number for every port, as far as there are any, and what stands in the way of the others.
    pub(super) fn choose_ports(
        &self,
        ports: &[(&PortName, PortNeed)],
        asking: Asking<'_>,
    ) -> (BTreeMap<PortName, u16>, Vec<Blocker>) {
        let needs: Vec<PortNeed> = ports.iter().map(|(_, need)| *need).collect();
        let blocker = |need, port| self.port_blocker(need, port, asking);
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
    fn port_blocker(&self, need: PortNeed, port: u16, asking: Asking<'_>) -> Option<Blocker> {
        match (need, asking.foreign.get(&port)) {
            // Of a fixed port it is said when it is looked at: no other can be taken instead.
            (PortNeed::Range { .. }, Some(listener)) => {
                Some(Blocker::ForeignListener { port, listener: listener.clone() })
            }
            (PortNeed::Range { .. }, None) | (PortNeed::Fixed(_), _) => {
                self.taken(asking, &Resource::Port(port), Sharing::Exclusive)
            }
        }
    }
}
