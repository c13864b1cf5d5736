//! What the daemon answers in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `status --json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    services: Vec<Service>,
    devices: Vec<Device>,
    leases: Vec<Lease>,
    pub(crate) troubles: Vec<String>,
}

/// One service of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) wanted: String,
    pub(crate) reason: String,
    pub(crate) pid: Option<u32>,
    pub(crate) waiting_for: Vec<String>,
}

/// One device of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) holder: Option<String>,
    pub(crate) identity: Option<String>,
}

/// One lease of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Lease {
    pub(crate) resource: String,
    pub(crate) holder: String,
    pub(crate) token: u64,
}

impl Status {
    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> &Service {
        self.services.iter().find(|service| service.name == name).expect("a service of this name")
    }

    #[track_caller]
    pub(crate) fn device(&self, name: &str) -> &Device {
        self.devices.iter().find(|device| device.name == name).expect("a device of this name")
    }

    /// Whether all of these have this status.
    pub(crate) fn all(&self, names: &[&str], status: &str) -> bool {
        names.iter().all(|name| self.service(name).status == status)
    }

    /// The processes of all services that have one.
    pub(crate) fn pids(&self) -> BTreeMap<String, u32> {
        self.services.iter().filter_map(|service| Some((service.name.clone(), service.pid?))).collect()
    }

    /// How many services there are.
    pub(crate) fn services(&self) -> usize {
        self.services.len()
    }

    pub(crate) fn leases(&self) -> &[Lease] {
        &self.leases
    }
}

/// `trace --json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Trace {
    pub(crate) trace: u64,
    pub(crate) cause: Cause,
    pub(crate) messages: Vec<Message>,
}

/// Its external cause.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cause {
    pub(crate) kind: String,
    pub(crate) detail: String,
}

/// One message of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: String,
    pub(crate) outcome: String,
}

impl Message {
    /// Whether it was handled, whatever came of it.
    pub(crate) fn is_handled(&self) -> bool {
        self.outcome != "queued" && self.outcome != "panicked"
    }
}

impl Trace {
    /// How many messages of this kind this receiver has handled.
    pub(crate) fn handled(&self, kind: &str, to: &str) -> usize {
        let these = |message: &&Message| message.kind == kind && message.to == to && message.is_handled();
        self.messages.iter().filter(these).count()
    }

    /// Whether nothing of it is still to be handled.
    pub(crate) fn is_quiet(&self) -> bool {
        self.messages.iter().all(Message::is_handled)
    }

    /// The place in time of the first message of this kind to this receiver.
    #[track_caller]
    pub(crate) fn place(&self, kind: &str, to: &str) -> usize {
        let found = self.messages.iter().position(|message| message.kind == kind && message.to == to);
        found.unwrap_or_else(|| panic!("no {kind} to {to} in {:#?}", self.messages))
    }
}
