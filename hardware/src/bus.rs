//! The interface between mainstay and hardware: the kernel behind it, or a simulation.
//!
//! Every call on [`Bus`] but [`Bus::watch`] may block, for as long as a driver hangs: callers run them on a thread of
//! their own, bound the wait, and abandon the thread when the bound expires. [`Watch::rescan`] returns at once.

use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};
use mainstay_config::names::MacAddress;

use crate::error::{Error, SystemError};
use crate::sighting::{HardwareEvent, Link, Rfkill, Sighting};

/// Where events go. Called from the bus's own threads; must not block.
pub type Sink = Box<dyn Fn(HardwareEvent) + Send + Sync>;

/// A set of hardware: the kernel's, or a simulated one.
pub trait Bus: Send + Sync {
    /// Begins to watch: subscribes first, then scans, and sends [`HardwareEvent::Scanned`] once, then each change.
    /// Watching ends when the returned value is dropped (its threads are joined, which may block as long as a driver hangs).
    ///
    /// # Errors
    /// When nothing at all can be watched. A single source that cannot be heard is [`HardwareEvent::Trouble`].
    fn watch(&self, sink: Sink) -> Result<Box<dyn Watch>, Error>;

    /// Whether the device node exists and can be opened by this process, without opening it where opening has effects.
    ///
    /// # Errors
    /// [`Error`] with kind `NotFound` (no node yet), `PermissionDenied`, …
    fn accessible(&self, sighting: &Sighting) -> Result<(), Error>;

    /// Looks closer at a device that nobody uses. Bounded by `within`; being inconclusive is no error.
    ///
    /// # Errors
    /// When it cannot be opened or goes away.
    fn probe(&self, sighting: &Sighting, kind: DeviceKind, depth: Depth, within: Duration) -> Result<Findings, Error>;

    /// Keeps the USB device that this is, or sits on, from being suspended: autosuspend breaks some receivers while they are
    /// used (`power/control` of Documentation/driver-api/usb/power-management.rst). What is not on USB needs nothing.
    ///
    /// # Errors
    /// When it is gone, or this user may not.
    fn keep_awake(&self, sighting: &Sighting) -> Result<Wakefulness, Error>;

    /// Lets it be suspended as before. Nothing when this arrival of it is gone.
    ///
    /// # Errors
    /// When this user may not.
    fn let_sleep(&self, sighting: &Sighting) -> Result<(), Error>;

    /// What the board says of its own supply voltage, where it has a sensor for it.
    fn supply(&self) -> Supply;

    /// Reads the present state of a radio whole, for putting it back later.
    ///
    /// # Errors
    /// When the radio is gone or the kernel refuses.
    fn wifi_baseline(&self, ifindex: u32) -> Result<WifiBaseline, Error>;

    /// Puts the main interface into a mode: down → set type → up. `Takeover::Refuse` refuses an interface that
    /// somebody lives on. When it fails half-way, the radio is left so: [`Bus::wifi_restore`] puts it back.
    ///
    /// # Errors
    /// `Busy`, `NotSupported`, `Refused` (with the reason in words), `NotFound`, …
    fn wifi_set_mode(&self, ifindex: u32, mode: WifiMode, takeover: Takeover) -> Result<(), Error>;

    /// Puts a radio back as it was: mode, up or down, address; deletes interfaces on it that were not there before.
    ///
    /// # Errors
    /// When the radio is gone or the kernel refuses.
    fn wifi_restore(&self, baseline: &WifiBaseline) -> Result<(), Error>;
}

/// A running watch.
pub trait Watch: Send {
    /// Scans everything anew and sends [`HardwareEvent::Scanned`]. Returns at once.
    fn rescan(&self);
}

/// The board's supply voltage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Supply {
    /// High enough.
    Enough,
    /// Too low now, or it was since the alarm was last read.
    Low,
    /// The board has no such sensor.
    Unknown,
}

/// Whether a USB device could be suspended before it was kept from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Wakefulness {
    /// It could: whoever keeps it awake lets it sleep afterwards.
    CouldSleep,
    /// It could not: that is not mainstay's to undo.
    WasAwake,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Depth {
    /// Only what identifies it: somebody is waiting for it.
    Identity,
    /// Everything.
    Full,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Findings {
    /// A HackRF that answered.
    Hackrf {
        /// `BOARD_ID_READ`, in words: `HackRF One r9`.
        board: String,
        /// `VERSION_STRING_READ`.
        firmware: String,
        /// `BOARD_PARTID_SERIALNO_READ`: serial number, 32 hexadecimal digits.
        serial: Option<String>,
    },
    /// A GPS receiver that spoke.
    Gps {
        /// Line speed at which it was understood.
        baud: u32,
        /// NMEA or UBX.
        protocol: GpsProtocol,
        /// Quality of the fix, when a sentence said so.
        fix: Option<Fix>,
    },
    /// A radio, by nl80211; all of it is in the sighting.
    Wifi,
    /// A device without a language of its own: it could be opened.
    Opened,
    /// It did not say what it is. It is usable, but unrecognised.
    Unrecognised(Unrecognised),
    /// It was not asked or listened to: that takes longer than somebody who waits for it should.
    Unread,
}

/// Why a device that can be opened is not known for what it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unrecognised {
    /// It does not answer as a HackRF does: what libusb said.
    NoHackrf(SystemError),
    /// No sentence of a GPS came, at the one speed that there is.
    NoGps,
    /// None came at any usual speed of a line.
    NoGpsAtAnySpeed,
    /// What it said could not be understood.
    Failed(Error),
}

/// What a GPS receiver speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum GpsProtocol {
    /// NMEA 0183 with a checksum that holds.
    Nmea,
    /// u-blox binary.
    Ubx,
}

/// Quality of a position (NMEA GGA field 6 and GSA field 2), the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Fix {
    /// No position.
    None,
    /// Two dimensions.
    TwoD,
    /// Three dimensions.
    ThreeD,
}

/// What a radio was like before it was leased.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WifiBaseline {
    /// Number of the wiphy.
    pub wiphy: u32,
    /// Index of the main interface.
    pub ifindex: u32,
    /// Name of the main interface.
    pub interface: String,
    /// Its mode.
    pub mode: WifiMode,
    /// Up or down.
    pub link: Link,
    /// Its present address (it may differ from the permanent one).
    pub mac: MacAddress,
    /// Channel centre in MHz, when set.
    pub frequency_mhz: Option<u32>,
    /// Indexes of all interfaces of the radio: others found later are deleted.
    pub interfaces: Vec<u32>,
    /// Whether rfkill blocked it: a soft block is lifted for the lease and put back after it.
    pub rfkill: Rfkill,
}
