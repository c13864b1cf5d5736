//! Who sends and who receives.

use std::fmt;
use std::str::FromStr;

use mainstay_config::names::{DeviceName, ServiceName};

/// An actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ActorId {
    /// The root supervisor.
    Root,
    /// The supervisor of devices, which also keeps the inventory.
    Hardware,
    /// A configured device.
    Device(DeviceName),
    /// The lease registry.
    Leases,
    /// The supervisor of services, which also hands out start slots.
    Services,
    /// A configured service.
    Service(ServiceName),
}

mainstay_config::words! {
    /// Something outside the actors that messages come from, or effects go to.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
    pub enum Outside {
        /// The kernel, through the hardware watchers.
        Kernel = "kernel",
        /// A person or program, through the control socket.
        Operator = "operator",
        /// A signal to mainstay itself.
        Signal = "signal",
        /// The start of mainstay.
        Start = "start",
        /// The executor of processes.
        Processes = "processes",
        /// The readiness probes.
        Probes = "probes",
        /// The executor of calls to hardware.
        Drivers = "drivers",
        /// What is written down, to outlive mainstay.
        Store = "store",
        /// A timer.
        Clock = "clock",
    }
}

/// A sender or receiver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Address {
    /// An actor.
    Actor(ActorId),
    /// Not an actor.
    Outside(Outside),
}

impl From<ActorId> for Address {
    fn from(id: ActorId) -> Self {
        Self::Actor(id)
    }
}

impl From<Outside> for Address {
    fn from(outside: Outside) -> Self {
        Self::Outside(outside)
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Hardware => f.write_str("hardware"),
            Self::Device(name) => write!(f, "device/{name}"),
            Self::Leases => f.write_str("leases"),
            Self::Services => f.write_str("services"),
            Self::Service(name) => write!(f, "service/{name}"),
        }
    }
}

/// No actor has this address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the address of an actor: write root, hardware, leases, services, `device/NAME` or `service/NAME`"
)]
pub struct NoSuchActor(String);

impl FromStr for ActorId {
    type Err = NoSuchActor;
    fn from_str(text: &str) -> Result<Self, NoSuchActor> {
        let wrong = || NoSuchActor(text.to_owned());
        match (text, text.split_once('/')) {
            ("root", _) => Ok(Self::Root),
            ("hardware", _) => Ok(Self::Hardware),
            ("leases", _) => Ok(Self::Leases),
            ("services", _) => Ok(Self::Services),
            (_, Some(("device", name))) => DeviceName::new(name).map(Self::Device).map_err(|_| wrong()),
            (_, Some(("service", name))) => ServiceName::new(name).map(Self::Service).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(id) => id.fmt(f),
            Self::Outside(outside) => f.write_str(outside.as_str()),
        }
    }
}
