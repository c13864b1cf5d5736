//! What the supervisor of devices is told and tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_config::names::DeviceName;
use mainstay_hardware::advice::Suggestion;
use mainstay_hardware::error::Error;
use mainstay_hardware::sighting::{Generation, HardwareEvent, Sighting, Source};
use mainstay_hardware::trouble::Trouble;

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
    pub troubles: BTreeMap<Source, Trouble>,
}

impl InventorySnapshot {
    /// Why no news of hardware can be heard at all, when it cannot.
    #[must_use]
    pub fn unwatched(&self) -> Option<Trouble> {
        let of = |source| Some((source, self.troubles.get(&source)?.clone()));
        let witnesses = || Some(vec![of(Source::Libusb)?, of(Source::Uevents)?]);
        let all = of(Source::All).map(|(_, why)| why);
        all.or_else(|| Some(Trouble::Failed(Error::NothingWatched(witnesses()?))))
    }
}

/// Something attached that is not in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OtherDevice {
    /// What it is.
    pub what: Arc<Sighting>,
    /// What would put it into the configuration.
    pub suggestion: Suggestion,
}
