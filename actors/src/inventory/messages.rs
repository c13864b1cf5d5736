//! What the supervisor of devices is told and tells.

use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::{Generation, HardwareEvent, Key, ScanReason, Witness};

use super::InventoryTimer;
use crate::machine::{Described, Words};

/// What the supervisor of devices is told.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly all of its messages are events")]
pub enum InventoryMessage {
    /// Something happened to the hardware.
    Event(HardwareEvent),
    /// A device says that this arrival of it is no longer what the configuration means.
    Disclaimed(DeviceName, Generation),
    /// A timer.
    Timer(InventoryTimer),
}

impl Described for InventoryMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(HardwareEvent::Seen(_)) => "Seen",
            Self::Event(HardwareEvent::Gone { .. }) => "Gone",
            Self::Event(HardwareEvent::Scanned { .. }) => "Scanned",
            Self::Event(HardwareEvent::Trouble(..)) => "Trouble",
            Self::Event(HardwareEvent::Works(_)) => "Works",
            Self::Disclaimed(..) => "Disclaimed",
            Self::Timer(_) => "Timer",
        }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Event(event) => event_words(event).into(),
            Self::Disclaimed(name, _) => Words::Device(name.clone(), "is no longer what the configuration means"),
            Self::Timer(timer) => format!("{timer:?} is over").into(),
        }
    }
}

/// What happened to the hardware, in words.
#[must_use]
pub fn event_words(event: &HardwareEvent) -> String {
    match event {
        HardwareEvent::Seen(sighting) => {
            let identity = mainstay_hardware::matching::identity(sighting, None);
            format!("{identity} seen")
        }
        HardwareEvent::Gone { key, witness, .. } => format!("{} ({})", departure_words(key), witness_words(*witness)),
        HardwareEvent::Scanned { present, why } => {
            let why = match why {
                ScanReason::Start => "at start",
                ScanReason::LostMessages => "after lost messages",
                ScanReason::Asked => "as asked",
            };
            format!("scanned {why}: {} pieces of hardware", present.len())
        }
        HardwareEvent::Trouble(_, words) => words.clone(),
        HardwareEvent::Works(source) => format!("{source} can be had again"),
    }
}

/// How something left, in words for a person: `USB 1-1 unplugged`.
#[must_use]
pub fn departure_words(key: &Key) -> String {
    match key.0.split_once('/') {
        Some(("usb", path)) => format!("USB {path} unplugged"),
        Some(("tty", name)) => format!("/dev/{name} disappeared"),
        Some(("wifi", name)) => format!("radio {name} disappeared"),
        _ => format!("{key} disappeared"),
    }
}

fn witness_words(witness: Witness) -> &'static str {
    match witness {
        Witness::Uevent => "kernel uevent",
        Witness::Libusb => "libusb",
        Witness::Netlink => "netlink",
        Witness::Rescan => "missing in a rescan",
        Witness::Simulation => "simulation",
    }
}

/// What is attached, for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventorySnapshot {
    /// What is not in the configuration.
    pub others: Vec<OtherDevice>,
    /// What cannot be watched here, and why.
    pub troubles: Vec<String>,
}

/// Something attached that is not in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherDevice {
    /// `usb`, `serial` or `wifi`.
    pub kind: &'static str,
    /// What it is.
    pub identity: String,
    /// Lines that would put it into the configuration.
    pub suggestion: String,
}
