//! What the lease registry is told and tells.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{PortNeed, Sharing, Takeover, WifiMode};
use mainstay_config::names::{DeviceName, PortName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::error::Error;
use mainstay_hardware::sighting::Generation;

use super::LeaseTimer;
use super::resource::Resource;
use crate::device::Offer;
use crate::effect::files::FileIdentity;
use crate::effect::ports::{Listener, Places};
use crate::machine::{Described, Moment, OperationId, Words};

/// A fencing token. It only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// One thing among those a service asks for at once.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A file, always exclusive.
    File(PathBuf),
    /// Something else with a name, always exclusive.
    Named(String),
    /// That two services, of which one asks, never run side by side.
    Conflict(ServiceName, ServiceName),
}

impl Want {
    /// What is wanted, when it is neither a device nor a port.
    #[must_use]
    pub fn other(&self) -> Option<Resource> {
        match self {
            Self::Device { .. } | Self::Port { .. } => None,
            Self::File(path) => Some(Resource::File(path.clone())),
            Self::Named(name) => Some(Resource::Named(name.clone())),
            Self::Conflict(one, other) => Some(Resource::Conflict(one.clone(), other.clone())),
        }
    }

    /// What people call it, in a sentence.
    #[must_use]
    pub fn spoken(&self) -> String {
        match self {
            Self::Device { device, .. } => device.to_string(),
            Self::Port { need: PortNeed::Fixed(port), .. } => format!("port {port}"),
            Self::Port { need: PortNeed::Range { prefer, first, last }, .. } => {
                format!("port {prefer} or one of {first}-{last}")
            }
            other => other.other().map(|resource| resource.spoken()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { device, .. } => write!(f, "device/{device}"),
            Self::Port { need: PortNeed::Fixed(port), .. } => write!(f, "port/{port}"),
            Self::Port { need: PortNeed::Range { prefer, first, last }, .. } => {
                write!(f, "port/{prefer} or one of {first}-{last}")
            }
            other => other.other().map_or(Ok(()), |resource| resource.fmt(f)),
        }
    }
}

/// A request for everything a service needs: all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Who asks.
    pub service: ServiceName,
    /// All that it wants.
    pub wants: Vec<Want>,
    /// Higher is served first.
    pub priority: i32,
    /// Give up waiting for other holders after this long.
    pub timeout: Option<Duration>,
    /// When it first asked; kept when it must ask again.
    pub arrival: Moment,
}

impl LeaseRequest {
    /// Where these ports are to be listened on.
    pub(super) fn places(&self, ports: &PortNumbers) -> Places {
        let place = |want: &Want| match want {
            Want::Port { name, address, .. } => Some((*ports.get(name)?, *address)),
            _ => None,
        };
        self.wants.iter().filter_map(place).collect()
    }
}

/// What was granted: everything that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Numbers of ports, by their names within the service.
pub type PortNumbers = BTreeMap<PortName, u16>;

/// A device that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedDevice {
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// What it is, bound to one arrival.
    pub offer: Offer,
}

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// A device that is not there, or not usable: why.
    Device {
        /// Which.
        device: DeviceName,
        /// Why, in words that follow "hackrf is" or "hackrf:": `gone (USB 1-1 unplugged)`.
        reason: String,
        /// Whether it is about to become usable.
        soon: Soon,
    },
    /// Another service holds it.
    Held {
        /// What.
        resource: Resource,
        /// Who.
        holder: ServiceName,
    },
    /// Another service comes first for it.
    Behind {
        /// For what.
        resource: Resource,
        /// Who.
        first: ServiceName,
    },
    /// It was given back and is being put back as it was.
    Restoring {
        /// Which.
        device: DeviceName,
    },
    /// A program that is not ours listens on the port.
    ForeignListener {
        /// Which port.
        port: u16,
        /// Who.
        listener: String,
    },
    /// It is being made ready for this request.
    Preparing,
}

/// Whether a device is about to become usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soon {
    /// It is there and is settling or being looked at.
    Yes,
    /// Nobody knows when.
    Unknown,
}

/// What is waited for, and how that stands: `hackrf: held by sweep`. Services that are waited for are spoken of alike.
impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { device, reason, .. } => write!(f, "{device}: {reason}"),
            Self::Held { resource: Resource::Conflict(one, other), holder } => {
                let waits = if holder == one { other } else { one };
                write!(f, "{holder}: it runs, and conflicts with {waits}")
            }
            Self::Behind { resource: Resource::Conflict(one, other), first } => {
                let waits = if first == one { other } else { one };
                write!(f, "{first}: it comes first, and conflicts with {waits}")
            }
            Self::Held { resource, holder } => write!(f, "{}: held by {holder}", resource.spoken()),
            Self::Behind { resource, first } => write!(f, "{}: {first} comes first", resource.spoken()),
            Self::Restoring { device } => write!(f, "{device}: being put back as it was"),
            Self::ForeignListener { port, listener } => write!(f, "port {port}: {listener} listens there"),
            Self::Preparing => f.write_str("its devices and ports to be made ready"),
        }
    }
}

/// How a service stands towards the registry, said again after a panic of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who says so.
    pub service: ServiceName,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StillUsed {
    /// It is.
    Yes,
    /// Its holder waits out a back-off: it may be taken when somebody waits for it.
    InBackoff,
}

/// What the registry is told.
#[derive(Debug, Clone)]
pub enum LeaseMessage {
    /// A service wants everything it needs.
    Request(LeaseRequest),
    /// A service no longer wants what it asked for.
    Withdraw(ServiceName),
    /// A service has stopped and gives back all it held under this token.
    Release(ServiceName, Token),
    /// How a service stands, said again.
    Stands(Standing),
    /// A service waits out a back-off: what it holds may be taken when somebody waits for it.
    Idle(ServiceName),
    /// It uses again what it kept.
    Busy(ServiceName),
    /// The same for one that has ports: it must hear first whether they can still be had. Answer: `ServiceMessage::Renewed`.
    Renew(LeaseRequest),
    /// A device can be leased, or its facts have changed.
    DeviceAvailable(DeviceName, Offer),
    /// A device cannot be leased.
    DeviceUnavailable {
        /// Which.
        device: DeviceName,
        /// Why, in words that follow "hackrf is" or "hackrf:": `gone (USB 1-1 unplugged)`.
        reason: String,
        /// Whether it is about to become usable.
        soon: Soon,
    },
    /// How a radio is, before it is changed.
    RadioRead(OperationId, DeviceName, Result<WifiBaseline, Error>),
    /// A radio was put into its mode.
    RadioSet(OperationId, DeviceName, Result<(), Error>),
    /// A radio was put back as it was.
    RadioRestored(OperationId, DeviceName, Result<(), Error>),
    /// Who listens on ports that were about to be granted.
    PortsSeen(OperationId, Result<BTreeMap<u16, Listener>, String>),
    /// What files are that were about to be granted, and those that others have.
    FilesSeen(OperationId, Result<BTreeMap<PathBuf, FileIdentity>, String>),
    /// The daemon is closing down; say when everything is put back.
    Close,
    /// A timer.
    Timer(LeaseTimer),
}

impl Described for LeaseMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Request(_) => "Request",
            Self::Withdraw(_) => "Withdraw",
            Self::Release(..) => "Release",
            Self::Stands(_) => "Stands",
            Self::Idle(_) => "Idle",
            Self::Busy(_) => "Busy",
            Self::Renew(_) => "Renew",
            Self::DeviceAvailable(..) => "DeviceAvailable",
            Self::DeviceUnavailable { .. } => "DeviceUnavailable",
            Self::RadioRead(..) => "RadioRead",
            Self::RadioSet(..) => "RadioSet",
            Self::RadioRestored(..) => "RadioRestored",
            Self::PortsSeen(..) => "PortsSeen",
            Self::FilesSeen(..) => "FilesSeen",
            Self::Close => "Close",
            Self::Timer(_) => "Timer",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Request(request) => {
                let wants: Vec<String> = request.wants.iter().map(Want::spoken).collect();
                format!("{} wants {}", request.service, list(&wants)).into()
            }
            Self::Withdraw(service) => Words::Service(service.clone(), "no longer wants what it asked for"),
            Self::Stands(standing) => Words::Service(standing.service.clone(), "says again how it stands"),
            Self::Release(service, _) => Words::Service(service.clone(), "has stopped and gives back what it held"),
            Self::Idle(service) => Words::Service(service.clone(), "waits out a back-off"),
            Self::Busy(service) => Words::Service(service.clone(), "uses its leases again"),
            Self::Renew(request) => Words::Service(request.service.clone(), "is to use its leases again"),
            Self::DeviceAvailable(device, offer) => format!("{device} can be leased ({})", offer.generation).into(),
            Self::DeviceUnavailable { device, reason, .. } => format!("{device} is {reason}").into(),
            Self::RadioRead(_, device, Ok(_)) => Words::Device(device.clone(), "was looked at before it is changed"),
            Self::RadioRead(_, device, Err(error)) => format!("{device} could not be looked at: {error}").into(),
            Self::RadioSet(_, device, Ok(())) => Words::Device(device.clone(), "is in the mode asked for"),
            Self::RadioSet(_, device, Err(error)) => format!("{device} could not be prepared: {error}").into(),
            Self::RadioRestored(_, device, Ok(())) => Words::Device(device.clone(), "is as it was before"),
            Self::RadioRestored(_, device, Err(error)) => format!("{device} could not be put back: {error}").into(),
            Self::PortsSeen(_, Ok(seen)) if seen.is_empty() => "nobody else listens".into(),
            Self::PortsSeen(_, Ok(seen)) => {
                list(&seen.iter().map(|(port, listener)| format!("{listener} listens on {port}")).collect::<Vec<_>>())
                    .into()
            }
            Self::FilesSeen(_, Ok(_)) => "what each file is has been seen".into(),
            Self::FilesSeen(_, Err(error)) => format!("cannot see what its files are: {error}").into(),
            Self::PortsSeen(_, Err(error)) => format!("cannot see who listens: {error}").into(),
            Self::Close => "put everything back".into(),
            Self::Timer(super::machine::LeaseTimer::LookAgain(service)) => {
                format!("time to see again whether the ports of {service} are free").into()
            }
            Self::Timer(super::machine::LeaseTimer::PutBack(device)) => {
                Words::Device(device.clone(), "is tried to be put back again")
            }
            Self::Timer(super::machine::LeaseTimer::Wait(service)) => {
                Words::Service(service.clone(), "has waited as long as it wanted to")
            }
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One lease that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    /// What.
    pub resource: Resource,
    /// By whom.
    pub holder: ServiceName,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// The request.
    pub request: LeaseRequest,
    /// What it waits for.
    pub blockers: Vec<Blocker>,
}

/// All leases and all who wait, for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseSnapshot {
    /// What is held, by resource.
    pub held: Vec<HeldLease>,
    /// Who waits, first in line first.
    pub queue: Vec<Waiter>,
}
