//! `[hardware.NAME]`.

use crate::model::DeviceKind;
use crate::names::{MacAddress, UsbId, UsbInterface, UsbPath};
use crate::read::{Departures, Filled, KernelName, SerialNumber, TimeSpan, section};

section! {
    /// One device.
    struct HardwareTable requires ["kind"] {
        /// What it is.
        kind: DeviceKind,
        /// How it is recognised; all that is said must hold. Needed when there is more than one it could be.
        r#match: MatchTable,
        /// When a device that comes and goes is set aside.
        flap: FlapTable,
    }
}

section! {
    /// How a device is recognised. Prefer what stays: serial number, MAC address, USB port.
    struct MatchTable requires [] {
        /// The USB serial number; case and leading zeros do not count.
        serial: SerialNumber,
        /// Vendor and product id, such as "1d50:6089".
        usb: UsbId,
        /// The USB port it is plugged into, such as "1-1.4".
        path: UsbPath,
        /// Which function of a USB device that has several, as its name in /dev/serial/by-id ends: "if01", or "if00-port1".
        interface: UsbInterface,
        /// The permanent MAC address of a Wi-Fi interface.
        mac: MacAddress,
        /// The kernel driver, such as "mt76x2u".
        driver: Filled,
        /// The kernel's name, such as "wlan2" or "ttyACM0". The weakest: names move.
        name: KernelName,
    }
}

section! {
    /// When a device that comes and goes is set aside.
    struct FlapTable requires [] {
        /// After this many departures, at most 64 … Default 5.
        departures: Departures,
        /// … within this time. Default "60s".
        within: TimeSpan,
        /// The first time it is set aside for this long, each further time for twice as long. Default "30s".
        quarantine: TimeSpan,
    }
}
