//! What mainstay shows of itself: the shapes of `--json`, the same for the command line and every later interface.
//!
//! Times are RFC 3339 in UTC with milliseconds (`2026-11-20T22:56:33.120Z`; those of messages with microseconds), for
//! display: decisions use the boot-time clock.

mod roots;
mod show;
mod trace;
pub mod words;

pub use roots::Roots;
pub use show::Show;

use serde::{Deserialize, Serialize};

/// `status --json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// Every configured service, by name.
    pub services: Vec<ServiceView>,
    /// Every configured device, by name.
    pub devices: Vec<DeviceView>,
    /// Every lease that is held.
    pub leases: Vec<LeaseView>,
    /// What is wrong with the station as a whole, in words: logs that cannot be written.
    #[serde(default)]
    pub troubles: Vec<String>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// `stopped`, `waiting`, `starting`, `running`, `stopping`, `backoff`, `failed` or `held`.
    pub status: String,
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    pub health: String,
    /// `auto`, `up` or `down`.
    pub wanted: String,
    /// Why it is in this state, in words; empty when there is nothing to say.
    pub reason: String,
    /// Its main process.
    pub pid: Option<u32>,
    /// Since when it is in this state.
    pub since: String,
    /// What it waits for, each in words; empty when it waits for nothing.
    pub waiting_for: Vec<String>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its name.
    pub name: String,
    /// `hackrf`, `usb`, `gps`, `serial` or `wifi`.
    pub kind: String,
    /// `absent`, `settling`, `probing`, `ready`, `in use`, `faulted`, `quarantined` or `ejected`.
    pub status: String,
    /// Why, in words; empty when there is nothing to say.
    pub reason: String,
    /// Who leases it.
    pub holder: Option<String>,
    /// What it is known to be, in words: `HackRF One r9, serial …, firmware …, USB 1-1`. `None` while it is not there.
    pub identity: Option<String>,
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaseView {
    /// `device/hackrf`, `port/8073`.
    pub resource: String,
    /// Which service holds it.
    pub holder: String,
    /// `exclusive` or `shared`.
    pub mode: String,
    /// The fencing token: only grows.
    pub token: u64,
    /// Since when.
    pub since: String,
}

/// `devices --json`: what is configured and what else is attached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DevicesView {
    /// Every configured device.
    pub devices: Vec<DeviceView>,
    /// What is attached and not in the configuration.
    pub others: Vec<OtherDeviceView>,
    /// Watchers that cannot work here, in words (for instance: no nl80211 in this kernel).
    pub troubles: Vec<String>,
}

/// Something attached that is not in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherDeviceView {
    /// `usb`, `serial` or `wifi`.
    pub kind: String,
    /// What it is, in words.
    pub identity: String,
    /// Lines that would put it into the configuration.
    pub suggestion: String,
}

/// `leases --json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeasesView {
    /// What is held.
    pub leases: Vec<LeaseView>,
    /// Who waits, first in line first.
    pub queue: Vec<WaiterView>,
}

/// One waiting request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaiterView {
    /// Which service.
    pub service: String,
    /// All that it wants at once.
    pub wants: Vec<String>,
    /// Its priority.
    pub priority: i32,
    /// What it waits for, each in words: `hackrf: held by openwebrx`.
    pub waiting_for: Vec<String>,
    /// Since when.
    pub since: String,
}

/// `why NAME --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyView {
    /// The service or device asked for.
    pub name: String,
    /// `service` or `device`.
    pub subject: String,
    /// The present state in one sentence.
    pub now: String,
    /// The chain of causes, the external event first, the present state last; each a sentence.
    pub because: Vec<CauseView>,
    /// What would unblock it, each a sentence; empty when nothing needs to.
    pub unblock: Vec<String>,
    /// The trace that led here, if it is still kept.
    pub trace: Option<u64>,
}

/// One step in a chain of causes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseView {
    /// When.
    pub at: String,
    /// What happened, a sentence without a full stop.
    pub what: String,
}

/// One trace, `trace --json`: all messages that one external event caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceView {
    /// Its id.
    pub trace: u64,
    /// What caused it.
    pub cause: ExternalCauseView,
    /// Its messages in the order they were sent; parents come before children.
    pub messages: Vec<MessageView>,
    /// How many of its messages are no longer kept.
    #[serde(default)]
    pub forgotten: u64,
}

/// The external event at the root of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalCauseView {
    /// `hardware`, `operator`, `signal`, `timer`, `exit`, `start`, …
    pub kind: String,
    /// In words.
    pub detail: String,
    /// When it happened, with microseconds. `None` only from an older mainstay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// One message of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    /// Its id.
    pub id: u64,
    /// The message that was being handled when it was sent; `None` for the first of a trace.
    pub parent: Option<u64>,
    /// Who sent it: `device/hackrf`, `leases`, `service/kismet`, `kernel`, `operator`, …
    pub from: String,
    /// Who received it.
    pub to: String,
    /// The name of the message.
    pub kind: String,
    /// What it says.
    pub detail: String,
    /// When it was sent.
    pub sent: String,
    /// When it had been handled; `None` while it is queued.
    pub handled: Option<String>,
    /// `queued`, `handled`, `ignored`, `refused`, `panicked` or `superseded`.
    pub outcome: String,
}
