//! What a device is told and tells.

use std::path::PathBuf;

use mainstay_config::model::DeviceKind;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Findings, Supply, WifiBaseline};
use mainstay_hardware::error::Error;
use mainstay_hardware::matching::Identity;
use mainstay_hardware::sighting::{Generation, Sighting};

use crate::cause::{Absence, DeviceCure, DeviceFault, DeviceReason, Holder, Rivals, Withheld};
use crate::message::{Moment, OperationId, RequestId};

/// What a device is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[allow(clippy::large_enum_variant, reason = "a device is told little, and mostly what is seen of it")]
pub enum DeviceMessage {
    /// It is there: newly, or with changed facts.
    Seen(Sighting),
    /// It is gone.
    Gone {
        /// Which arrival of it; `None` when whatever is there is gone.
        generation: Option<Generation>,
        /// How.
        how: Absence,
    },
    /// Other pieces of hardware fit it as well.
    Rivals(Rivals),
    /// No others do any more.
    NoRivals,
    /// Whether its node can be opened.
    Accessible(OperationId, Result<(), Error>),
    /// What the probe found.
    Probed(OperationId, Result<Findings, Error>),
    /// What the board says of its supply voltage.
    Supply(OperationId, Supply),
    /// Somebody leases it now.
    Leased {
        /// Who.
        holder: Holder,
        /// When it was granted.
        since: Moment,
    },
    /// Nobody leases it any more.
    Unleased,
    /// The same, but nobody can lease it yet. A radio is put back as it was first; the last holder of a device that was replugged must
    /// have stopped.
    Withheld(Withheld),
    /// It is as it was before it was leased: so. `None` when that is not known, or when it is gone.
    PutBack(Option<WifiBaseline>),
    /// Somebody waits for it, or nobody does any more.
    Awaited(Awaited),
    /// Nobody has this arrival of it or wants it, and nobody gets it before it says again that it can be leased: it can be asked what
    /// it is.
    Lent(Generation),
    /// This arrival of it does not work; or whichever is there.
    Fault(DeviceFault, Option<Generation>),
    /// The operator takes it out of use.
    Eject(RequestId),
    /// The operator takes it back.
    Admit(RequestId),
    /// A timer.
    Timer(DeviceTimer),
}

/// Whether somebody waits for a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Awaited {
    /// Nobody does.
    #[default]
    Nobody,
    /// Somebody does: look only at what identifies it.
    Somebody,
}

/// A device that can be leased: what a holder needs to know to use it. Bound to one generation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offer {
    /// Which arrival.
    pub generation: Generation,
    /// Its node, `/dev/ttyACM0`.
    pub node: Option<PathBuf>,
    /// Its network interface, `wlan2`.
    pub interface: Option<String>,
    /// Index of that interface.
    pub ifindex: Option<u32>,
    /// Its serial number.
    pub serial: Option<String>,
}

mainstay_config::words! {
    /// Where a device is in its life.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum DeviceStatus {
        /// Not there.
        Absent = "absent",
        /// There; waiting until it is steady and can be opened.
        Settling = "settling",
        /// Being looked at.
        Probing = "probing",
        /// It can be leased.
        Ready = "ready",
        /// It is leased.
        InUse = "in use",
        /// It is there and does not work.
        Faulted = "faulted",
        /// It comes and goes too often.
        Quarantined = "quarantined",
        /// The operator took it out of use.
        Ejected = "ejected",
    }
}

/// What a device shows of itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceSnapshot {
    /// Its name.
    pub name: DeviceName,
    /// Its kind.
    pub kind: DeviceKind,
    /// Where it is in its life.
    pub status: DeviceStatus,
    /// Why.
    pub reason: DeviceReason,
    /// How long it is kept out of use.
    pub until: Option<Moment>,
    /// Since when it is leased; by whom, the registry shows.
    pub leased_since: Option<Moment>,
    /// What it is known to be.
    pub identity: Option<Identity>,
    /// What would make it usable, when it is not.
    pub unblock: Option<DeviceCure>,
}

/// Timers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum DeviceTimer {
    /// It has been steady long enough.
    Settling,
    /// Look again whether it can be opened.
    AccessRetry,
    /// Look at it after all, which could not be done.
    LookAfterAll,
    /// The quarantine.
    Quarantine,
    /// It has been called otherwise than the configuration says for long enough.
    Mistaken,
}
