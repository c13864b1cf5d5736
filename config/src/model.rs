//! The validated configuration: what the rest of mainstay works with.
//!
//! Everything here has passed validation: names resolve, durations are durations, the dependency graph has no cycle.
//! What a file may say is in `schema`; how the one becomes the other is in `lower`.

mod device;
mod ending;
mod ready;
mod service;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::names::{DeviceName, ServiceName};

pub use device::{Device, DeviceKind, Flap, HACKRF_IDS, Match, same_serial, short_serial};
pub use ending::{Restart, RestartWhen, Stop, StopSignal, StopTo};
pub use ready::{Probe, Ready};
pub use service::{
    Autostart, Command, Dependency, DeviceNeed, OnReturn, PortNeed, Service, Sharing, Takeover, Unit, Unsupported,
    WifiMode,
};

/// A whole station: one configuration file, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// `[runtime]`.
    pub runtime: Runtime,
    /// `[api]`.
    pub api: Api,
    /// `[logs]`.
    pub logs: Logs,
    /// `[hardware.NAME]`.
    pub devices: BTreeMap<DeviceName, Device>,
    /// `[services.NAME]`.
    pub services: BTreeMap<ServiceName, Arc<Service>>,
    /// The services in layers: every service stands in a later layer than all it requires, wants or comes after.
    pub layers: Vec<Vec<ServiceName>>,
}

/// Where mainstay keeps things, and how much it does at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// What must last. `None`: not said; the program chooses by who runs it.
    pub state_dir: Option<PathBuf>,
    /// What is true for this boot: socket, lock, notify sockets. `None`: not said; the program chooses.
    pub run_dir: Option<PathBuf>,
    /// How many services may be between spawn and ready at the same time.
    pub max_parallel_starts: NonZeroUsize,
}

impl Runtime {
    /// Bytes of a run directory at most. The kernel allows 107 for the path of a socket (unix(7)), and the longest of mainstay's is
    /// `/notify/` with the 16 digits that stand for a long name of a service.
    pub const LONGEST_RUN_DIR: usize = 107 - "/notify/0123456789abcdef".len();
}

/// The HTTP interface (acted on by a later version).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Address and port to listen on.
    pub listen: std::net::SocketAddr,
}

/// How the output of services is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Logs {
    /// Bytes after which a log file is rotated.
    pub max_size: u64,
    /// How many rotated files are kept beside the current one.
    pub keep: u32,
}
