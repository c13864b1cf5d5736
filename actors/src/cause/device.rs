//! Why a device cannot be leased.

use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::Match;
use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::{Supply, Unrecognised};
use mainstay_hardware::error::Error;
use mainstay_hardware::sighting::{Key, Sighting};
use mainstay_hardware::trouble::Trouble;

use super::Holder;

/// Why a device is not there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Absence {
    /// Nobody has seen it.
    NotPluggedIn,
    /// What the kernel had there has gone.
    Left(Key),
    /// What was taken for it is no longer what the configuration means.
    NotIt(Key),
    /// A scan has not found it.
    NotFound,
    /// Another arrival of it is there: its departure was not heard of.
    Replugged,
    /// It is there, and others that fit as well: none of them is taken.
    Undecided(Rivals),
    /// Of several that fitted, none is there any more.
    NothingFits,
    /// It vanished while it was made ready for somebody.
    Vanished,
}

/// Why a device is there and does not work.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeviceFault {
    /// It could not be opened, or looked at.
    Unusable(Error),
    /// Its driver does not answer.
    DriverHung(Error),
    /// Several pieces of hardware fit it, and none is taken.
    Undecided(Rivals),
    /// A radio could not be put back as it was.
    NotPutBack {
        /// What went wrong last.
        error: Error,
        /// How often it was tried.
        tries: u32,
    },
}

/// Why a device is kept out of use for a while.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Quarantine {
    /// It comes and goes too often.
    Flapping {
        /// How often it left …
        departures: u32,
        /// … within this time.
        within: Duration,
        /// How long it stays out.
        length: Duration,
    },
    /// It drops out whenever it is used.
    Power {
        /// How long it stays out.
        length: Duration,
        /// What the board says of its supply voltage, when it was asked.
        supply: Option<Supply>,
    },
}

impl Quarantine {
    /// How long it stays out.
    #[must_use]
    pub fn length(&self) -> Duration {
        match self {
            Self::Flapping { length, .. } | Self::Power { length, .. } => *length,
        }
    }
}

/// Why nobody can lease a device yet that nobody leases.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Withheld {
    /// It is put back as it was.
    PuttingBack,
    /// The same, once more.
    TryingAgain {
        /// Which try comes next.
        attempt: u32,
        /// Of how many.
        of: u32,
        /// Why the last one failed.
        error: Error,
    },
    /// Whoever had it before it was replugged must stop first.
    EarlierHolder(Holder),
}

/// Why a device cannot be leased.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unusable {
    /// Nothing is known of it yet.
    NotHeardOf,
    /// It is not there.
    Absent(Absence),
    /// Whether it is there nobody knows, since no hardware can be watched.
    Unwatched,
    /// It is there, and must be steady for a while.
    Settling,
    /// It is there, and is looked at.
    LookedAt,
    /// It is there, and could not be opened so far: udev may still set permissions.
    NotOpen(Error),
    /// The operator took it out of use.
    Ejected,
    /// It does not work.
    Faulted(DeviceFault),
    /// It is kept out of use for a while.
    Quarantined(Quarantine),
    /// It could not even be tried to be made ready, since too much else hangs.
    NotTried(Error),
}

/// Why a device is as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeviceReason {
    /// There is nothing to say.
    #[default]
    Nothing,
    /// It cannot be leased.
    Unusable(Unusable),
    /// Nobody can lease it yet.
    Withheld(Withheld),
    /// It can be used, and did not say what it is: what it said instead.
    Unrecognised(Unrecognised),
    /// It can be used, and this is worth knowing.
    Noted {
        /// Which device.
        device: DeviceName,
        /// What else fits it.
        rivals: Option<Rivals>,
        /// What commands are not given as it says it.
        replaced: Vec<Replaced>,
    },
}

/// A piece of hardware that fits a configured device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Piece {
    /// What it is.
    pub what: Arc<Sighting>,
    /// The `match` that would mean it alone.
    pub matching: Arc<Match>,
}

/// Pieces of hardware that fit one configured device beside the one it was taken to be; where none was taken, they are why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rivals {
    /// What it was taken to be, when it fitted alone or was there first.
    pub taken: Option<Piece>,
    /// The others, at least one.
    pub others: Vec<Piece>,
}

/// What a device says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OwnWord {
    /// Its serial number.
    Serial,
    /// The name of its interface.
    Interface,
    /// The path of its node, which the kernel makes of its name.
    Path,
}

/// What commands are given instead of what a device says of itself, which not every program could take.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Replaced {
    /// Instead of what.
    pub what: OwnWord,
    /// What they are given.
    pub given: String,
}

/// What would make a device usable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeviceCure {
    /// It must be plugged in.
    PlugIn,
    /// This must be over, which keeps all hardware from being watched.
    Watch(Trouble),
    /// It is tried again by itself.
    Wait,
    /// Its fault must be mended.
    Mend,
    /// The operator must say which of several is meant.
    Choose(Rivals),
    /// It must stay in quarantine, or somebody vouches for it.
    WaitOrAdmit,
    /// The operator must take it back.
    Admit,
}
