//! What is held, and how it is used.

use mainstay_config::model::Sharing;

use super::messages::{Grant, HeldLease};
use crate::cause::{Holder, Resource};

/// How a holder uses what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It runs.
    Active,
    /// It waits out a back-off and keeps its leases only while nobody waits.
    Idle,
    /// It was told to stop; what it holds is not free before it says so.
    Draining,
}

/// One holder.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub(super) grant: Grant,
    pub(super) r#use: Use,
}

impl Holding {
    /// All that is held, with how.
    pub(super) fn resources(&self) -> impl Iterator<Item = (Resource, Sharing)> + '_ {
        let devices = self.grant.devices.iter().map(|(name, device)| (Resource::Device(name.clone()), device.sharing));
        let ports = self.grant.ports.values().map(|port| (Resource::Port(*port), Sharing::Exclusive));
        let named = self.grant.named.iter().map(|name| (Resource::Named(name.clone()), Sharing::Exclusive));
        devices.chain(ports).chain(named)
    }

    /// The rows of the lease table.
    pub(super) fn rows<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = HeldLease> + 'a {
        self.resources().map(move |(resource, sharing)| HeldLease {
            generation: match &resource {
                Resource::Device(name) => self.grant.devices.get(name).map(|device| device.offer.generation.clone()),
                Resource::Port(_) | Resource::Named(_) => None,
            },
            resource,
            holder: holder.clone(),
            sharing,
            token: self.grant.token,
            since: self.grant.since,
        })
    }
}

/// Two uses of one resource that exclude each other.
pub(super) fn excludes(a: Sharing, b: Sharing) -> bool {
    !(a == Sharing::Shared && b == Sharing::Shared)
}
