//! `[services.NAME]`, validated.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use super::{Ready, Restart, Stop};
use crate::names::{DeviceName, PortName, ServiceName};
use crate::template::Template;

/// One `[services.NAME]`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// What runs.
    pub unit: Unit,
    /// Whether `wanted = auto` means up.
    pub autostart: Autostart,
    /// Devices it leases.
    pub devices: BTreeMap<DeviceName, DeviceNeed>,
    /// Ports it leases.
    pub ports: BTreeMap<PortName, PortNeed>,
    /// The addresses it listens on with them, where it does so on one only. It has its numbers to itself all the same.
    pub addresses: BTreeMap<PortName, IpAddr>,
    /// Other exclusive resources: `file/PATH` and `custom/NAME`, spelled so.
    pub resources: BTreeSet<String>,
    /// Services it depends on.
    pub dependencies: BTreeMap<ServiceName, Dependency>,
    /// Services it must never run beside: those it names, and those that name it.
    pub conflicts: BTreeSet<ServiceName>,
    /// When it counts as ready.
    pub ready: Ready,
    /// What happens when it ends.
    pub restart: Restart,
    /// How it is stopped.
    pub stop: Stop,
    /// Whether it decides "is ready" for the station.
    pub critical: bool,
    /// What this version accepts but does not act on, which this service depends on: it is `failed(not in this version)`.
    pub not_in_this_version: Vec<Unsupported>,
}

/// A part of a service's configuration without which it cannot run, and on which this version does not act.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unsupported {
    /// It is a `oneshot`.
    Oneshot,
    /// It is a unit of `systemd`.
    Systemd,
    /// It is a `container`.
    Container,
    /// It is `external`.
    External,
    /// This device is `optional`.
    OptionalDevice(DeviceName),
    /// This radio has a `channel`.
    Channel(DeviceName),
    /// It has a `stop.command`.
    StopCommand,
}

/// By its key.
impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oneshot => f.write_str("oneshot"),
            Self::Systemd => f.write_str("systemd"),
            Self::Container => f.write_str("container"),
            Self::External => f.write_str("external"),
            Self::OptionalDevice(name) => write!(f, "devices.{name}.optional"),
            Self::Channel(name) => write!(f, "devices.{name}.channel"),
            Self::StopCommand => f.write_str("stop.command"),
        }
    }
}

/// Whether a service starts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Autostart {
    /// It starts when its needs are met.
    Yes,
    /// It starts when the operator says so.
    No,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// A program that keeps running.
    Process(Command),
    /// A kind that this version does not run yet.
    Later,
}

/// A program to run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Command {
    /// Program and arguments; never empty.
    pub argv: Vec<Template>,
    /// Added to the environment.
    pub environment: BTreeMap<String, Template>,
    /// Variables of mainstay's own environment that it gets; nothing else of it does.
    pub environment_from: BTreeSet<String>,
    /// User to run as; needs root.
    pub user: Option<String>,
    /// Group to run as; the user's own when not said.
    pub group: Option<String>,
    /// Working directory; `/` when not said.
    pub directory: Option<PathBuf>,
}

crate::words! {
    /// Exclusive or shared.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Sharing {
        /// One holder.
        Exclusive = "exclusive",
        /// Any number of holders, all of them shared.
        Shared = "shared",
    }
}

/// What a service wants of a device.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DeviceNeed {
    /// Exclusive or shared.
    pub sharing: Sharing,
    /// Higher is served first. Default 0.
    pub priority: i32,
    /// Give up waiting for another holder after this long. `None`: wait for ever.
    pub timeout: Option<Duration>,
    /// The mode a radio is put into.
    pub mode: Option<WifiMode>,
    /// Whether a radio is taken though it carries the default route or is an access point.
    pub takeover: Takeover,
}

/// Whether a radio that somebody lives on may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Takeover {
    /// An interface with the default route, an access point or a login over it is refused.
    Refuse,
    /// The configuration says so outright: `takeover = true`.
    Allow,
}

crate::words! {
    /// Mode of a radio (`enum nl80211_iftype`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum WifiMode {
        /// Station: an ordinary client.
        Managed = "managed",
        /// Receives everything on the channel.
        Monitor = "monitor",
        /// Access point.
        Ap = "ap",
        /// Ad-hoc network.
        Ibss = "ibss",
        /// 802.11s mesh point.
        Mesh = "mesh",
        /// Something else; never asked for, only seen.
        Other = "another mode",
    }
}

/// A port a service listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PortNeed {
    /// This port, or wait.
    Fixed(NonZeroU16),
    /// `prefer` when it is free, else the first free one of `first..=last`; at least two ports in all.
    Range {
        /// Tried first.
        prefer: NonZeroU16,
        /// First of the range.
        first: NonZeroU16,
        /// Last of the range.
        last: NonZeroU16,
    },
}

/// How a service depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Dependency {
    /// Waits until it is ready; stops when it is lost.
    Required {
        /// How long to wait before saying so; the wait goes on.
        timeout: Duration,
        /// How long it may be down before it counts as lost.
        lost_after: Duration,
    },
    /// Waits up to `timeout` if it is coming, then starts degraded.
    Optional {
        /// How long to wait for it.
        timeout: Duration,
        /// Whether to restart when it comes back.
        on_return: OnReturn,
    },
    /// Order only.
    Soft,
}

crate::words! {
    /// What a service does when an optional dependency comes back.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum OnReturn {
        /// Nothing: it finds it again by itself.
        Keep = "keep",
        /// It is restarted.
        Restart = "restart",
    }
}
