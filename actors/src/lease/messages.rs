//! What the lease registry is told and tells.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::model::{PortNeed, Sharing, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, PortName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::Error;
use mainstay_hardware::sighting::Generation;

use super::LeaseTimer;
use crate::cause::{Blocker, Holder, Resource, Soon, Unusable};
use crate::device::Offer;
use crate::effect::ports::Listener;
use crate::machine::{Moment, OperationId};

/// A fencing token. It only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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
    },
    /// A file or something else, always exclusive.
    Named(String),
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
    pub ports: BTreeMap<PortName, u16>,
    /// Files and others.
    pub named: Vec<String>,
}

/// A device that was granted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GrantedDevice {
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// What it is, bound to one arrival.
    pub offer: Offer,
}

/// Why a radio is not in the mode asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NotPrepared {
    /// What went wrong.
    pub error: Error,
    /// How the radio was before, when it may have been changed half-way or may still be.
    pub before: Option<WifiBaseline>,
}

/// What the registry is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum LeaseMessage {
    /// Somebody wants everything he needs.
    Request(LeaseRequest),
    /// He no longer wants what he asked for.
    Withdraw(Holder),
    /// He has stopped and gives back all he held.
    Release(Holder),
    /// He waits out a back-off: what he holds may be taken when somebody waits for it.
    Idle(Holder),
    /// He uses again what he kept.
    Busy(Holder),
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
    /// How a radio was before, now that it is in its mode.
    RadioPrepared(OperationId, DeviceName, Result<WifiBaseline, NotPrepared>),
    /// A radio was put back as it was.
    RadioRestored(OperationId, DeviceName, Result<(), Error>),
    /// After a restart of the registry: how a radio was before it was changed; `None` when it is as it was.
    RadioReported(OperationId, DeviceName, Option<WifiBaseline>),
    /// Who listens on ports that were about to be granted.
    PortsSeen(OperationId, Result<BTreeMap<u16, Listener>, String>),
    /// After a restart of the registry: what a service holds, or wants.
    Restated {
        /// Who says so.
        service: ServiceName,
        /// What it holds.
        grant: Option<Grant>,
    },
    /// After a restart of a service's actor: say again what it holds.
    Inquire(ServiceName),
    /// After a restart of a device's actor: say again who holds it.
    InquireDevice(DeviceName),
    /// The daemon is closing down; say when everything is put back.
    Close,
    /// A timer.
    Timer(LeaseTimer),
}

/// One lease that is held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldLease {
    /// What.
    pub resource: Resource,
    /// By whom.
    pub holder: Holder,
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// Its token.
    pub token: Token,
    /// Since when.
    pub since: Moment,
    /// The arrival of the device it is bound to.
    pub generation: Option<Generation>,
}

/// One request in the queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiter {
    /// The request.
    pub request: LeaseRequest,
    /// What it waits for.
    pub blockers: Vec<Blocker>,
}

/// All leases and all who wait, for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseSnapshot {
    /// What is held, by resource.
    pub held: Vec<HeldLease>,
    /// Who waits, first in line first.
    pub queue: Vec<Waiter>,
}
