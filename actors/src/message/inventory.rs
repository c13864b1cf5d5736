//! What the supervisor of devices is told and tells.

use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::{Generation, HardwareEvent};

use crate::message::supervision::NoTimer as InventoryTimer;

/// What the supervisor of devices is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[allow(clippy::large_enum_variant, reason = "nearly all of its messages are events")]
pub enum InventoryMessage {
    /// Something happened to the hardware.
    Event(HardwareEvent),
    /// A device says that this arrival of it is no longer what the configuration means.
    Disclaimed(DeviceName, Generation),
    /// The operator says that what fits a device is meant.
    Admitted(DeviceName),
    /// A timer.
    Timer(InventoryTimer),
}

/// What is attached, for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InventorySnapshot {
    /// What is not in the configuration.
    pub others: Vec<OtherDevice>,
    /// What cannot be watched here, and why.
    pub troubles: Vec<String>,
}

/// What sort of thing something attached is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OtherKind {
    /// A USB device.
    Usb,
    /// A serial port.
    Serial,
    /// A radio.
    Wifi,
}

impl OtherKind {
    /// The word shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usb => "usb",
            Self::Serial => "serial",
            Self::Wifi => "wifi",
        }
    }
}

/// Something attached that is not in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OtherDevice {
    /// What sort of thing.
    pub kind: OtherKind,
    /// What it is.
    pub identity: String,
    /// Lines that would put it into the configuration.
    pub suggestion: String,
}
