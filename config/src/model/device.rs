//! `[hardware.NAME]`, validated.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::names::{DeviceName, MacAddress, UsbId, UsbInterface, UsbPath};

/// One `[hardware.NAME]`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Device {
    /// Its name.
    pub name: DeviceName,
    /// What it is.
    pub kind: DeviceKind,
    /// How it is recognised; all that is said must hold. Empty: the only one of its kind.
    pub matching: Match,
    /// When a device that comes and goes is quarantined.
    pub flap: Flap,
}

/// USB ids of a HackRF: One and Pro, Jawbreaker, rad1o (libhackrf, `hackrf.c`).
pub const HACKRF_IDS: [UsbId; 3] = [
    UsbId { vendor: 0x1d50, product: 0x6089 },
    UsbId { vendor: 0x1d50, product: 0x604b },
    UsbId { vendor: 0x1d50, product: 0xcc15 },
];

crate::words! {
    /// What kind of device.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum DeviceKind {
        /// A HackRF: USB 1d50:6089, 1d50:604b or 1d50:cc15, with its vendor requests.
        Hackrf = "hackrf",
        /// Any USB device.
        Usb = "usb",
        /// A GPS receiver on a serial port.
        Gps = "gps",
        /// Any serial port.
        Serial = "serial",
        /// A radio under nl80211.
        Wifi = "wifi",
    }
}

/// How a device is recognised. Every part that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Match {
    /// The USB serial number; leading zeros do not count, nor does case (a HackRF prints its serial number with and without them).
    pub serial: Option<String>,
    /// Vendor and product.
    pub usb: Option<UsbId>,
    /// The USB port it is plugged into.
    pub path: Option<UsbPath>,
    /// Which function of a USB device that has several.
    pub interface: Option<UsbInterface>,
    /// The permanent MAC address.
    pub mac: Option<MacAddress>,
    /// The kernel driver.
    pub driver: Option<String>,
    /// The kernel's name: `wlan2`, `ttyACM0`. The weakest: names move.
    pub name: Option<String>,
}

/// A serial number without leading zeros: a HackRF's is printed with and without them.
#[must_use]
pub fn short_serial(serial: &str) -> &str {
    serial.trim().trim_start_matches('0')
}

/// Whether two serial numbers are the same: leading zeros do not count, nor does case.
#[must_use]
pub fn same_serial(a: &str, b: &str) -> bool {
    short_serial(a).eq_ignore_ascii_case(short_serial(b))
}

/// When a device that comes and goes is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Flap {
    /// This many departures …
    pub departures: NonZeroU32,
    /// … within this time.
    pub within: Duration,
    /// The first quarantine; each further one is twice as long, up to 32 times.
    pub quarantine: Duration,
}
