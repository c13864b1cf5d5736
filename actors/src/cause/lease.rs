//! Why somebody does not get, or loses, what he leases.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::error::Error;

use super::{Holder, Listed, Unusable};
use crate::action::ports::Listener;
use mainstay_hardware::error::NoAnswer;

/// What can be leased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Resource {
    /// A configured device.
    Device(DeviceName),
    /// A port on this machine.
    Port(u16),
    /// A file, by one of its paths.
    File(PathBuf),
    /// Anything else with a name, spelled `custom/NAME`.
    Named(String),
    /// That two services never run side by side; in the order of their names.
    Conflict(ServiceName, ServiceName),
}

impl Resource {
    /// The conflict of two services.
    #[must_use]
    pub fn conflict(one: &ServiceName, other: &ServiceName) -> Self {
        Self::Conflict(one.min(other).clone(), one.max(other).clone())
    }
}

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Blocker {
    /// A device that is not there, or not usable.
    Device {
        /// Which.
        device: DeviceName,
        /// Why.
        reason: Unusable,
        /// Whether it is about to become usable.
        soon: Soon,
    },
    /// Somebody else holds it.
    Held {
        /// What.
        resource: Resource,
        /// Who.
        holder: Holder,
    },
    /// Somebody else comes first for it.
    Behind {
        /// For what.
        resource: Resource,
        /// Who.
        first: Holder,
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
        listener: Listener,
    },
    /// Which file it is could not be looked at: it may be one that somebody has by another name.
    UnknownFile {
        /// Its path.
        path: PathBuf,
        /// Why not.
        why: NoAnswer,
    },
    /// It is being made ready for this request.
    Preparing,
}

/// Whether a device is about to become usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Soon {
    /// It is there and is settling or being looked at.
    Yes,
    /// Nobody knows when.
    Unknown,
}

/// Why somebody will not get what he asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Refusal {
    /// He has waited as long as he wanted to.
    WaitedTooLong {
        /// How long that was.
        patience: Duration,
        /// For what.
        blockers: Listed<Blocker>,
    },
    /// A program that is not ours listens on his port.
    PortInUse {
        /// Who wanted it.
        wanted_by: Holder,
        /// Which port.
        port: u16,
        /// Who listens.
        listener: Listener,
    },
    /// The same, of every port of a range.
    RangeInUse,
    /// A radio could not be put into its mode.
    NotPrepared {
        /// Which.
        device: DeviceName,
        /// What went wrong.
        error: Error,
    },
}

/// Why a lease is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Withdrawal {
    /// What was leased cannot be used any more.
    Lost {
        /// Which device.
        device: DeviceName,
        /// Why.
        why: Unusable,
    },
    /// It left, and another arrival of it is there.
    Replugged(DeviceName),
    /// Its holder only waits to be started again, and somebody else waits for what it keeps.
    GivingWay {
        /// Who.
        to: Holder,
        /// For what.
        resource: Resource,
    },
}

impl Withdrawal {
    /// Whether what was leased is gone. That is nobody's failure, and whoever lost it has his place in the queue back.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        !matches!(self, Self::GivingWay { .. })
    }
}
