//! What the kernel shows of a piece of hardware, and the events that say so.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use mainstay_config::model::WifiMode;
use mainstay_config::names::{MacAddress, UsbId, UsbInterface, UsbPath};

use crate::trouble::Trouble;

/// Where the kernel has a thing: unique while it is there, used for pairing arrivals and departures.
/// `usb/3-1`, `tty/ttyACM0`, `wifi/phy2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key(pub String);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One arrival of a device. The next arrival of the same device is another generation, also in the same socket.
/// Made from what the kernel counts upwards: USB bus and device number (`usb 3:12`; they begin again after 127), the
/// same and the port's name for a serial port (`usb 3:12 ttyACM0`), or the number of the wiphy (`wifi 7`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Generation(pub String);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stays the same of a piece of hardware when it is replugged into the same socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Place(String);

impl Place {
    /// Where this one sits, and what it is there.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Self {
        let what = match &sighting.sort {
            Sort::Usb { .. } => "usb".to_owned(),
            Sort::Tty { .. } => "tty".to_owned(),
            Sort::Wifi(wifi) => format!("wifi {}", wifi.mac),
        };
        let Some(usb) = &sighting.usb else {
            let key = if matches!(sighting.sort, Sort::Wifi(_)) { "" } else { sighting.key.0.as_str() };
            return Self(format!("{what} {key}"));
        };
        let interface = usb.interface.map_or(String::new(), |interface| interface.to_string());
        let serial = usb.serial.as_deref().unwrap_or_default();
        Self(format!("{what} {} {interface} {} {serial}", usb.path, usb.id))
    }
}

/// A piece of hardware as the kernel shows it now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sighting {
    /// Where the kernel has it.
    pub key: Key,
    /// Which arrival this is.
    pub generation: Generation,
    /// The USB device that it is, or sits on. `None` for a device that is not on USB.
    pub usb: Option<UsbFacts>,
    /// What sort of thing, and what only that sort has.
    pub sort: Sort,
    /// Whether it could be opened when it was seen.
    pub access: Access,
}

/// Whether a thing's node can be opened by this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Access {
    /// It was not looked at, or could not be opened yet: udev may still set its permissions.
    #[default]
    Unknown,
    /// It could.
    Open,
}

/// What is known of a USB device without opening it (from sysfs).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UsbFacts {
    /// Vendor and product.
    pub id: UsbId,
    /// The socket: stays the same over a replug.
    pub path: UsbPath,
    /// Bus number.
    pub bus: u8,
    /// Device number on the bus: another one after each arrival.
    pub address: u8,
    /// `iSerialNumber`, when it has one.
    pub serial: Option<String>,
    /// `iProduct`, when it has one.
    pub product: Option<String>,
    /// Which of its functions this is; `None` for the device as a whole.
    pub interface: Option<UsbInterface>,
}

/// What sort of thing a sighting is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Sort {
    /// A USB device as a whole. Hubs are not reported.
    Usb {
        /// Its node, `/dev/bus/usb/003/012`.
        node: PathBuf,
    },
    /// A serial port.
    Tty {
        /// Its node, `/dev/ttyACM0`.
        node: PathBuf,
        /// The kernel driver, `cdc_acm`.
        driver: Option<String>,
    },
    /// A radio (wiphy) with its main interface.
    Wifi(WifiFacts),
}

/// What nl80211 and rtnetlink show of a radio.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WifiFacts {
    /// Number of the wiphy, `phy2` is 2.
    pub wiphy: u32,
    /// Index of the main interface: the one with the radio's permanent address, else the lowest.
    pub ifindex: u32,
    /// Its present name.
    pub interface: String,
    /// Permanent address of the radio.
    pub mac: MacAddress,
    /// The kernel driver, `mac80211_hwsim`.
    pub driver: Option<String>,
    /// Present mode of the main interface.
    pub mode: WifiMode,
    /// Whether the main interface is up.
    pub link: Link,
    /// Modes the radio can do.
    pub supported: Vec<WifiMode>,
    /// Whether rfkill blocks it.
    pub rfkill: Rfkill,
    /// Names of other interfaces on the same radio, such as `wlan2mon`.
    pub others: Vec<String>,
    /// Who manages it, where that can be told, such as `NetworkManager` or `wpa_supplicant`.
    pub manager: Option<String>,
}

/// Administrative state of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Link {
    /// `IFF_UP`.
    Up,
    /// Not `IFF_UP`.
    Down,
}

/// What rfkill says of a radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Rfkill {
    /// Not blocked.
    Unblocked,
    /// Blocked by software; can be lifted.
    Soft,
    /// Blocked by a switch.
    Hard,
}

/// Who saw a device leave. One unplug arrives by several paths, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Witness {
    /// A kernel uevent.
    Uevent,
    /// libusb's hotplug.
    Libusb,
    /// nl80211 or rtnetlink.
    Netlink,
    /// It was missing in a rescan after a lost message.
    Rescan,
    /// The simulated bus.
    Simulation,
}

/// Something that happened to the hardware.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[allow(clippy::large_enum_variant, reason = "events are few, and most of them are the large one")]
pub enum HardwareEvent {
    /// It is there: newly, or with other facts than before. May be said more than once.
    Seen(Sighting),
    /// It is gone. May be said more than once, and of something never seen.
    Gone {
        /// What is gone.
        key: Key,
        /// Which arrival of it, where the witness can tell; else whatever is there now.
        generation: Option<Generation>,
        /// Who says so.
        witness: Witness,
    },
    /// Everything that is there, after a scan: what is not listed is gone. Sent once at start and after a lost message.
    Scanned {
        /// All that is there.
        present: Vec<Sighting>,
        /// Why the scan was made.
        why: ScanReason,
        /// All that is in trouble as far as whoever scans has heard: what is not listed works.
        troubles: BTreeMap<Source, Trouble>,
    },
    /// A source cannot be heard or read. Everything else goes on.
    Trouble(Source, Trouble),
    /// A source that was in trouble works again.
    Works(Source),
}

/// What is known of the hardware comes from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Source {
    /// Every source there is.
    All,
    /// libusb's hotplug.
    Libusb,
    /// Kernel uevents.
    Uevents,
    /// rtnetlink's messages of network links.
    Links,
    /// nl80211's messages of radios.
    RadioNews,
    /// The facts of radios, which drivers are asked for.
    RadioFacts,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "hardware",
            Self::Libusb => "libusb",
            Self::Uevents => "kernel events",
            Self::Links => "network links",
            Self::RadioNews => "news of radios",
            Self::RadioFacts => "facts of radios",
        })
    }
}

/// Why everything was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ScanReason {
    /// At start.
    Start,
    /// The kernel dropped messages because the socket was full (ENOBUFS).
    LostMessages,
    /// Somebody asked, for instance a restarted actor.
    Asked,
}
