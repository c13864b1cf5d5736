//! What `mainstay … --json` says: the published shapes, as far as the lab reads them.

use serde::Deserialize;

/// `status --json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Status {
    pub(crate) services: Vec<Service>,
    pub(crate) devices: Vec<Device>,
    pub(crate) leases: Vec<Lease>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) health: String,
    pub(crate) wanted: String,
    pub(crate) reason: String,
    pub(crate) pid: Option<u32>,
    pub(crate) waiting_for: Vec<String>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) holder: Option<String>,
    pub(crate) identity: Option<String>,
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Lease {
    pub(crate) resource: String,
    pub(crate) holder: String,
    pub(crate) mode: String,
    pub(crate) token: u64,
}

/// `devices --json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Devices {
    pub(crate) devices: Vec<Device>,
    pub(crate) others: Vec<Other>,
}

/// Something attached that is not in the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Other {
    pub(crate) kind: String,
    pub(crate) identity: String,
    pub(crate) suggestion: String,
}

/// `trace --json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Trace {
    pub(crate) cause: Cause,
    pub(crate) messages: Vec<Message>,
}

/// The external event at the root of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Cause {
    pub(crate) kind: String,
    pub(crate) detail: String,
}

/// One message of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) to: String,
}
