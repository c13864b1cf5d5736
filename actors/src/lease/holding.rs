//! What is held, and how it is used.

use std::collections::BTreeMap;

use mainstay_config::model::Sharing;
use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::Generation;

use super::queue::any_file;
use super::sorted::Sorted;
use crate::action::ports::Listener;
use crate::cause::{Holder, Resource, Withdrawal};
use crate::message::lease::{Grant, LeaseRequest, PortNumbers};
use crate::message::lease_table::HeldLease;
use crate::message::{Moment, OperationId};

/// How a holder uses what it holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Use {
    /// It runs.
    Active,
    /// It waits out a back-off and keeps its leases only while nobody waits.
    Idle,
    /// It was told to stop; what it holds is not free before it says so.
    Draining(Withdrawal),
    /// Its processes outlive SIGKILL, and mainstay ends without it.
    Abandoned,
}

/// One holder.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Holding {
    pub(super) grant: Grant,
    pub(super) r#use: Use,
    /// Its ports are being looked at again, since it is restarted. Few are at a time.
    pub(super) renewal: Option<Box<Renewal>>,
    /// When the last one was asked for that was answered well.
    pub(super) renewed: Option<Moment>,
}

/// What a holder that is restarted waits for.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Renewal {
    pub(super) request: LeaseRequest,
    pub(super) looking: OperationId,
    /// Ports of a range on which somebody else was seen to listen.
    pub(super) foreign: BTreeMap<u16, Listener>,
}

impl Holding {
    /// One that runs.
    pub(super) fn of(grant: Grant) -> Self {
        Self { grant, r#use: Use::Active, renewal: None, renewed: None }
    }

    /// All that is held, with how.
    pub(super) fn resources(&self) -> impl Iterator<Item = (Resource, Sharing)> + '_ {
        let devices = self.grant.devices.iter().map(|(name, device)| (Resource::Device(name.clone()), device.sharing));
        let ports = self.grant.ports.values().map(|port| (Resource::Port(*port), Sharing::Exclusive));
        let named = self.grant.named.iter().map(|name| (name.clone(), Sharing::Exclusive));
        devices.chain(ports).chain(named)
    }

    /// The rows of the lease table.
    pub(super) fn rows<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = HeldLease> + 'a {
        self.resources().map(move |(resource, sharing)| HeldLease {
            generation: match &resource {
                Resource::Device(name) => self.grant.devices.get(name).map(|device| device.offer.generation.clone()),
                Resource::Port(_) | Resource::File(_) | Resource::Named(_) | Resource::Conflict(..) => None,
            },
            resource,
            holder: holder.clone(),
            sharing,
            token: self.grant.token,
            since: self.grant.since,
        })
    }
}

/// All who hold something, and what.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Holders {
    #[serde(with = "crate::message::pairs")]
    all: BTreeMap<Holder, Holding>,
    /// Who has each resource.
    #[serde(with = "crate::message::pairs")]
    of: BTreeMap<Resource, Users<Holder>>,
}

impl Holders {
    pub(super) fn get(&self, holder: &Holder) -> Option<&Holding> {
        self.all.get(holder)
    }

    /// To change how it is used, or what is known of it; not what it is.
    pub(super) fn get_mut(&mut self, holder: &Holder) -> Option<&mut Holding> {
        self.all.get_mut(holder)
    }

    pub(super) fn contains(&self, holder: &Holder) -> bool {
        self.all.contains_key(holder)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Holder, &Holding)> {
        self.all.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Somebody holds something from now on, who held nothing.
    pub(super) fn insert(&mut self, holder: Holder, holding: Holding) {
        for (resource, sharing) in holding.resources() {
            self.of.entry(resource).or_default().of(sharing).insert(holder.clone());
        }
        self.all.insert(holder, holding);
    }

    /// Somebody holds nothing any more.
    pub(super) fn remove(&mut self, holder: &Holder) -> Option<Holding> {
        let holding = self.all.remove(holder)?;
        for (resource, sharing) in holding.resources() {
            let Some(users) = self.of.get_mut(&resource) else { continue };
            users.of(sharing).remove(holder);
            if users.is_empty() {
                self.of.remove(&resource);
            }
        }
        Some(holding)
    }

    /// Gives a holder other ports.
    pub(super) fn give_ports(&mut self, holder: &Holder, ports: PortNumbers) {
        if let Some(mut holding) = self.remove(holder) {
            holding.grant.ports = ports;
            self.insert(holder.clone(), holding);
        }
    }

    /// Who has a resource in a way that excludes such a use, but for one.
    pub(super) fn excluding(&self, resource: &Resource, sharing: Sharing, but: &Holder) -> Option<&Holder> {
        self.of.get(resource)?.first_excluding(sharing, |holder| holder != but)
    }

    /// Who has a device: all of them the same arrival, since another is given only when they have let go.
    pub(super) fn of_device(&self, device: &DeviceName) -> impl Iterator<Item = &Holder> {
        self.of.get(&Resource::Device(device.clone())).into_iter().flat_map(Users::iter)
    }

    /// Whether it is this arrival of a device that a holder has; `None`: he has none.
    pub(super) fn holds(&self, holder: &Holder, device: &DeviceName, arrival: &Generation) -> Option<bool> {
        self.all.get(holder)?.grant.devices.get(device).map(|held| held.offer.generation == *arrival)
    }

    /// The files that are held.
    pub(super) fn files(&self) -> impl Iterator<Item = &Resource> {
        self.of.range(any_file()).map(|(resource, _)| resource)
    }
}

/// Who uses a resource, or wants to: exclusively, or sharing it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Users<K: Ord> {
    exclusive: Sorted<K>,
    shared: Sorted<K>,
}

impl<K: Ord> Default for Users<K> {
    fn default() -> Self {
        Self { exclusive: Sorted::default(), shared: Sorted::default() }
    }
}

impl<K: Ord> Users<K> {
    pub(super) fn of(&mut self, sharing: Sharing) -> &mut Sorted<K> {
        match sharing {
            Sharing::Exclusive => &mut self.exclusive,
            Sharing::Shared => &mut self.shared,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exclusive.is_empty() && self.shared.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &K> {
        self.exclusive.iter().chain(self.shared.iter())
    }

    /// The first of those who exclude such a use. Only shared uses do not exclude each other.
    pub(super) fn first_excluding(&self, sharing: Sharing, counts: impl Fn(&K) -> bool) -> Option<&K> {
        let exclusive = self.exclusive.iter().find(|user| counts(user));
        let shared = match sharing {
            Sharing::Exclusive => self.shared.iter().find(|user| counts(user)),
            Sharing::Shared => None,
        };
        exclusive.into_iter().chain(shared).min()
    }
}
