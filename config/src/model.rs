//! The validated configuration: what the rest of mainstay works with.
//!
//! Everything here has passed validation: names resolve, durations are durations, the dependency graph has no cycle.
//! What a file may say is in `schema`; how the one becomes the other is in `lower`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::names::{DeviceName, MacAddress, PortName, ServiceName, UsbId, UsbPath};
use crate::template::Template;

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
    pub services: BTreeMap<ServiceName, Service>,
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

/// The HTTP interface (acted on by a later version).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Address and port to listen on.
    pub listen: std::net::SocketAddr,
}

/// How the output of services is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logs {
    /// Bytes after which a log file is rotated.
    pub max_size: u64,
    /// How many rotated files are kept beside the current one.
    pub keep: u32,
}

/// One `[hardware.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name.
    pub name: DeviceName,
    /// What it is.
    pub kind: DeviceKind,
    /// How it is recognised; all that is said must hold. Empty: the only one of its kind.
    pub matching: Match,
    /// When a device that comes and goes is quarantined.
    pub flap: Flap,
}

/// What kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A HackRF: USB 1d50:6089, 1d50:604b or 1d50:cc15, with its vendor requests.
    Hackrf,
    /// Any USB device.
    Usb,
    /// A GPS receiver on a serial port.
    Gps,
    /// Any serial port.
    Serial,
    /// A radio under nl80211.
    Wifi,
}

impl DeviceKind {
    /// The word used in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hackrf => "hackrf",
            Self::Usb => "usb",
            Self::Gps => "gps",
            Self::Serial => "serial",
            Self::Wifi => "wifi",
        }
    }
}

/// How a device is recognised. Every part that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// The USB serial number; leading zeros do not count, nor does case (a HackRF prints its serial number with and without them).
    pub serial: Option<String>,
    /// Vendor and product.
    pub usb: Option<UsbId>,
    /// The USB port it is plugged into.
    pub path: Option<UsbPath>,
    /// The permanent MAC address.
    pub mac: Option<MacAddress>,
    /// The kernel driver.
    pub driver: Option<String>,
    /// The kernel's name: `wlan2`, `ttyACM0`. The weakest: names move.
    pub name: Option<String>,
}

/// When a device that comes and goes is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flap {
    /// This many departures …
    pub departures: NonZeroU32,
    /// … within this time.
    pub within: Duration,
    /// The first quarantine; each further one is twice as long, up to 32 times.
    pub quarantine: Duration,
}

/// One `[services.NAME]`.
#[derive(Debug, Clone, PartialEq)]
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
    /// Other exclusive resources: `file/PATH` and `custom/NAME`, spelled so.
    pub resources: BTreeSet<String>,
    /// Services it depends on.
    pub dependencies: BTreeMap<ServiceName, Dependency>,
    /// Services it must never run beside.
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
    /// Each is the place in words, such as `container`.
    pub not_in_this_version: Vec<String>,
}

/// Whether a service starts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autostart {
    /// It starts when its needs are met.
    Yes,
    /// It starts when the operator says so.
    No,
}

/// What runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// A program that keeps running.
    Process(Command),
    /// A kind that this version does not run yet: `oneshot`, `systemd`, `container`, `external`.
    Later(&'static str),
}

/// A program to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Program and arguments; never empty.
    pub argv: Vec<Template>,
    /// Added to the environment.
    pub environment: BTreeMap<String, Template>,
    /// User to run as; needs root.
    pub user: Option<String>,
    /// Group to run as; the user's own when not said.
    pub group: Option<String>,
    /// Working directory; `/` when not said.
    pub directory: Option<PathBuf>,
}

/// Exclusive or shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// One holder.
    Exclusive,
    /// Any number of holders, all of them shared.
    Shared,
}

/// What a service wants of a device.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// An interface with the default route, an access point or a login over it is refused.
    Refuse,
    /// The configuration says so outright: `takeover = true`.
    Allow,
}

/// Mode of a radio (`enum nl80211_iftype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WifiMode {
    /// Station: an ordinary client.
    Managed,
    /// Receives everything on the channel.
    Monitor,
    /// Access point.
    Ap,
    /// Ad-hoc network.
    Ibss,
    /// 802.11s mesh point.
    Mesh,
    /// Something else; never asked for, only seen.
    Other,
}

/// A port a service listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortNeed {
    /// This port, or wait.
    Fixed(NonZeroU16),
    /// `prefer` when it is free, else the first free one of `first..=last`.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What a service does when an optional dependency comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReturn {
    /// Nothing: it finds it again by itself.
    Keep,
    /// It is restarted.
    Restart,
}

/// When a service counts as ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// What is looked at.
    pub probe: Probe,
    /// Not ready by then: the start has failed.
    pub within: Duration,
}

/// What is looked at to see that a service is ready.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// It lives.
    Process,
    /// It says `READY=1` on `NOTIFY_SOCKET` (sd_notify(3)).
    Notify,
    /// It accepts a TCP connection.
    Tcp {
        /// Address, without port.
        host: String,
        /// Port: a number or `{port.NAME}`.
        port: Template,
    },
    /// It answers an HTTP GET with 2xx or 3xx.
    Http {
        /// `http://host:port/path`, templates allowed.
        url: Template,
    },
    /// A command exits with 0.
    Exec {
        /// Program and arguments.
        command: Vec<Template>,
    },
    /// A file exists.
    File {
        /// Its path.
        path: Template,
    },
    /// A line of its output contains this text.
    Log {
        /// The text.
        contains: String,
    },
    /// gpsd answers on its port with `VERSION` and has an activated device.
    Gpsd {
        /// Port: a number or `{port.NAME}`.
        port: Template,
    },
    /// Kismet answers on its port.
    Kismet {
        /// Port: a number or `{port.NAME}`.
        port: Template,
        /// A file with `httpd_username=` and `httpd_password=` lines (Kismet's own `kismet_httpd.conf`); with it, ready
        /// means that a data source is running without error.
        credentials: Option<PathBuf>,
    },
}

/// What happens when a service ends by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// After which endings it is started again.
    pub when: RestartWhen,
    /// How many restarts before it is `failed`.
    pub attempts: u32,
    /// Wait before the first restart.
    pub backoff: Duration,
    /// Each further wait is this many times longer. At least 1.
    pub factor: f64,
    /// Running this long after ready makes it start counting anew.
    pub reset_after: Duration,
}

impl Restart {
    /// The wait before restart number `attempt` (1 is the first), at most one hour.
    #[must_use]
    pub fn delay(&self, attempt: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        let power = self.factor.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = self.backoff.as_secs_f64() * power;
        if seconds.is_finite() && seconds < LONGEST.as_secs_f64() { Duration::from_secs_f64(seconds) } else { LONGEST }
    }
}

/// After which endings a service is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartWhen {
    /// Whatever the exit was.
    Always,
    /// After a non-zero exit code or a signal.
    Failure,
    /// Never.
    Never,
}

/// How a service is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The first signal.
    pub signal: StopSignal,
    /// Then SIGKILL to the whole tree after this long.
    pub grace: Duration,
}

/// A signal a service can be stopped with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM.
    Term,
    /// SIGINT.
    Int,
    /// SIGHUP.
    Hup,
    /// SIGQUIT.
    Quit,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGKILL at once.
    Kill,
}

impl StopSignal {
    /// The word used in the configuration and in messages, without `SIG`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Hup => "HUP",
            Self::Quit => "QUIT",
            Self::Usr1 => "USR1",
            Self::Usr2 => "USR2",
            Self::Kill => "KILL",
        }
    }
}
