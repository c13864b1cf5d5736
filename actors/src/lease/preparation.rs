//! Making ready what is about to be granted: radios are put into their mode, ports are looked at for foreign listeners.

use std::collections::BTreeMap;

use mainstay_config::names::{DeviceName, PortName};

use super::radios::Change;
use crate::message::OperationId;
use crate::message::device::Offer;

/// What is still under way before a request can be granted.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Preparation {
    /// The devices as they were offered when the preparation began.
    pub(super) offers: BTreeMap<DeviceName, Offer>,
    /// The ports that were chosen.
    pub(super) ports: BTreeMap<PortName, u16>,
    /// Somebody is looking who listens on them.
    pub(super) looking: Option<OperationId>,
    /// Somebody is looking what its files are.
    pub(super) files: Option<OperationId>,
    /// Radios that are being put into their mode.
    pub(super) radios: BTreeMap<DeviceName, Change>,
}

impl Preparation {
    /// Whether it is known that nothing else is in the way. Only then radios are changed: that may take somebody's network down.
    pub(super) fn has_looked(&self) -> bool {
        self.looking.is_none() && self.files.is_none()
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_done(&self) -> bool {
        self.has_looked() && self.radios.is_empty()
    }
}
