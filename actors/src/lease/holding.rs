//! What is held, and how it is used.

use std::collections::BTreeMap;

use mainstay_config::model::Sharing;

use crate::action::ports::Listener;
use crate::cause::{Holder, Resource, Withdrawal};
use crate::message::OperationId;
use crate::message::lease::{Grant, HeldLease, LeaseRequest};

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
    /// Its ports are being looked at again, since it is restarted.
    pub(super) renewal: Option<Renewal>,
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
        Self { grant, r#use: Use::Active, renewal: None }
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
                _ => None,
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
