//! What the lease registry is told and tells.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{PortNeed, Sharing, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, PortName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::{Error, NoAnswer};
use mainstay_hardware::sighting::Generation;

use crate::action::ports::{Listener, Places};
use crate::cause::{Holder, Refusal, Resource, Soon, Unusable};
use crate::message::device::Offer;
use crate::message::{Moment, OperationId};
use mainstay_config::paths::FileIdentity;

/// A fencing token. It only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Token(pub u64);

/// One thing among those a service asks for at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Want {
    /// A device.
    Device {
        /// Which.
        device: DeviceName,
        /// Exclusive or shared.
        sharing: Sharing,
        /// The mode a radio is put into.
        mode: Option<WifiMode>,
        /// Whether somebody's network may be taken down.
        takeover: Takeover,
    },
    /// A port.
    Port {
        /// Its name within the service.
        name: PortName,
        /// Which will do.
        need: PortNeed,
        /// The address it is to be listened on; `None`: any.
        address: Option<IpAddr>,
    },
    /// What is neither a device nor a port, and always exclusive.
    Other(Resource),
}

impl Want {
    /// What it is, and how it is wanted; of a range of ports nobody knows yet.
    pub(crate) fn resource(&self) -> Option<(Resource, Sharing)> {
        Some(match self {
            Self::Device { device, sharing, .. } => (Resource::Device(device.clone()), *sharing),
            Self::Port { need: PortNeed::Fixed(port), .. } => (Resource::Port(port.get()), Sharing::Exclusive),
            Self::Port { need: PortNeed::Range { .. }, .. } => return None,
            Self::Other(resource) => (resource.clone(), Sharing::Exclusive),
        })
    }

    /// The choice of ports that would do.
    pub(crate) fn range(&self) -> Option<PortNeed> {
        match self {
            Self::Port { need: need @ PortNeed::Range { .. }, .. } => Some(*need),
            Self::Port { .. } | Self::Device { .. } | Self::Other(_) => None,
        }
    }
}

/// A request for everything that somebody needs: all or nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseRequest {
    /// Who asks.
    pub holder: Holder,
    /// All that it wants.
    pub wants: Vec<Want>,
    /// Higher is served first.
    pub priority: i32,
    /// Give up waiting for other holders after this long.
    pub timeout: Option<Duration>,
    /// When it first asked; kept when it must ask again.
    pub arrival: Moment,
}

impl LeaseMessage {
    /// The device that it is about.
    pub(crate) fn device(&self) -> Option<&DeviceName> {
        match self {
            Self::DeviceAvailable(device, _)
            | Self::DeviceUnavailable { device, .. }
            | Self::RadioRead(_, device, _)
            | Self::RadioSet(_, device, _)
            | Self::RadioRestored(_, device, _)
            | Self::Timer(LeaseTimer::PutBack(device)) => Some(device),
            // One that is lent is available no more: whoever waits is looked at when it is.
            Self::Lend(..)
            | Self::Request(_)
            | Self::Withdraw(_)
            | Self::Release(..)
            | Self::Stands(_)
            | Self::Idle(_)
            | Self::Busy(_)
            | Self::Renew(_)
            | Self::Abandoned(_)
            | Self::PortsSeen(..)
            | Self::FilesSeen(..)
            | Self::Close
            | Self::Timer(LeaseTimer::Wait(_) | LeaseTimer::LookAgain(_)) => None,
        }
    }
}

/// A place in the line: first is who is served first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Rank {
    priority: Reverse<i32>,
    arrival: Moment,
    /// Whose.
    pub(crate) holder: Holder,
}

impl LeaseRequest {
    /// Its place among all who want something.
    pub(crate) fn rank(&self) -> Rank {
        Rank { priority: Reverse(self.priority), arrival: self.arrival, holder: self.holder.clone() }
    }

    /// Where these ports are to be listened on.
    pub(crate) fn places(&self, ports: &PortNumbers) -> Places {
        let place = |want: &Want| match want {
            Want::Port { name, address, .. } => Some((*ports.get(name)?, *address)),
            Want::Device { .. } | Want::Other(_) => None,
        };
        self.wants.iter().filter_map(place).collect()
    }
}

/// What was granted: everything that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Grant {
    /// The fencing token.
    pub token: Token,
    /// Since when.
    pub since: Moment,
    /// The devices, with what is needed to use them.
    pub devices: BTreeMap<DeviceName, GrantedDevice>,
    /// The ports.
    pub ports: PortNumbers,
    /// Files and others.
    pub named: Vec<Resource>,
}

impl Grant {
    /// Whether a holder that is restarted has something that may have become somebody else's while it did not use it.
    pub(crate) fn is_to_be_renewed(&self) -> bool {
        !self.ports.is_empty() || self.named.iter().any(|named| matches!(named, Resource::File(_)))
    }
}

/// Numbers of ports, by their names within the service.
pub type PortNumbers = BTreeMap<PortName, u16>;

/// A device that was granted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GrantedDevice {
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// What it is, bound to one arrival.
    pub offer: Offer,
}

/// What a holder hears that is restarted, of what it has kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Renewed {
    /// It can use again all that it holds, with these ports.
    With(PortNumbers),
    /// A stranger has a port of its range, and others of ours have those that it could be given instead; or a path of its files leads
    /// to one that another of ours has by now. It gives back what it holds, and waits as everybody does.
    MustWait,
    /// It cannot be used again.
    Refused(Refusal),
}

/// How a holder stands towards the registry: said again after a panic of either, and by one that gives back what it holds and
/// waits for it at once, so that nobody gets in between.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// Who says so.
    pub holder: Holder,
    /// What it holds.
    pub held: Option<Token>,
    /// The last lease that it gave back; earlier ones it has given back as well.
    pub given_back: Token,
    /// Whether it uses what it holds.
    pub uses: StillUsed,
    /// What it wants and does not have.
    pub wants: Option<LeaseRequest>,
}

/// Whether what is held is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum StillUsed {
    /// It is.
    Yes,
    /// Its holder waits out a back-off: it may be taken when somebody waits for it.
    InBackoff,
}

/// What the registry is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum LeaseMessage {
    /// Somebody wants everything he needs.
    Request(LeaseRequest),
    /// He no longer wants what he asked for.
    Withdraw(Holder),
    /// He has stopped and gives back all he held under this token.
    Release(Holder, Token),
    /// How he stands.
    Stands(Statement),
    /// He waits out a back-off: what he holds may be taken when somebody waits for it.
    Idle(Holder),
    /// He uses again what he kept.
    Busy(Holder),
    /// The same for one that has ports: it must hear first whether they can still be had. Answer: `ServiceMessage::Renewed`. Said
    /// again, it has the same moment of arrival.
    Renew(LeaseRequest),
    /// He outlives SIGKILL, and mainstay ends without him: what he holds is not waited for.
    Abandoned(Holder),
    /// A device can be leased, or its facts have changed.
    DeviceAvailable(DeviceName, Offer),
    /// A device cannot be leased.
    DeviceUnavailable {
        /// Which.
        device: DeviceName,
        /// Why.
        reason: Unusable,
        /// Whether it is about to become usable.
        soon: Soon,
    },
    /// A device that can be leased was not asked what it is, for somebody waited. It wants to be lent to itself for that; when it is,
    /// it hears `DeviceMessage::Lent`, and is nobody else's until it says again that it can be leased.
    Lend(DeviceName, Generation),
    /// How a radio is, before it is changed.
    RadioRead(OperationId, DeviceName, Result<WifiBaseline, Error>),
    /// A radio was put into its mode.
    RadioSet(OperationId, DeviceName, Result<(), Error>),
    /// A radio was put back as it was.
    RadioRestored(OperationId, DeviceName, Result<(), Error>),
    /// Who listens on ports that were about to be granted.
    PortsSeen(OperationId, Result<BTreeMap<u16, Listener>, NoAnswer>),
    /// What files are that were about to be granted, and those that others have.
    FilesSeen(OperationId, Result<BTreeMap<PathBuf, FileIdentity>, NoAnswer>),
    /// The daemon is closing down; say when everything is put back.
    Close,
    /// A timer.
    Timer(LeaseTimer),
}

/// Timers of the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum LeaseTimer {
    /// A request has waited as long as it wanted to.
    Wait(Holder),
    /// Somebody else's program kept a request from its port: perhaps it has ended.
    LookAgain(Holder),
    /// A radio refused to be put back: try again.
    PutBack(DeviceName),
}
