//! What a simulated device is.

use mainstay_config::model::WifiMode;
use mainstay_config::names::{MacAddress, UsbId, UsbPath};

use crate::bus::{Fix, GpsProtocol};
use crate::sighting::Link;

/// A device that can be plugged in and out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedDevice {
    /// The name it is plugged and unplugged by.
    pub name: String,
    /// Whether it is there from the start.
    pub presence: Presence,
    /// What it is.
    pub body: Body,
}

/// Whether a device is there from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Plugged,
    /// It waits to be plugged in.
    Unplugged,
}

/// Where a device is plugged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The socket; `None`: where it was last.
    pub path: Option<UsbPath>,
    /// The kernel's name for its serial port, `ttyACM1`; `None`: as last.
    pub node: Option<String>,
}

/// What a simulated device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A HackRF.
    Hackrf(SimulatedHackrf),
    /// A GPS receiver with a serial port of its own.
    Gps(SimulatedGps),
    /// A radio.
    Wifi(Radio),
}

/// A HackRF that answers its vendor requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedHackrf {
    /// Vendor and product.
    pub id: UsbId,
    /// The socket it is in first.
    pub path: UsbPath,
    /// 32 hexadecimal digits.
    pub serial: String,
    /// `HackRF One r9`.
    pub board: String,
    /// `2024.02.1`.
    pub firmware: String,
}

/// A GPS receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedGps {
    /// Vendor and product.
    pub id: UsbId,
    /// The socket it is in first.
    pub path: UsbPath,
    /// Its serial number.
    pub serial: String,
    /// What it calls itself.
    pub product: String,
    /// The kernel's name for its serial port at first, `ttyACM0`.
    pub node: String,
    /// The kernel driver, `cdc_acm`.
    pub driver: String,
    /// Line speed.
    pub baud: u32,
    /// What it speaks.
    pub protocol: GpsProtocol,
    /// Quality of its fix.
    pub fix: Fix,
}

/// A radio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Radio {
    /// Name of the main interface.
    pub interface: String,
    /// Permanent address.
    pub mac: MacAddress,
    /// The kernel driver.
    pub driver: String,
    /// Mode on arrival.
    pub mode: WifiMode,
    /// Up or down on arrival.
    pub link: Link,
    /// Modes it can do.
    pub supported: Vec<WifiMode>,
}

impl Body {
    /// The socket it is in first; a radio of the demo is not on USB.
    pub(super) fn path(&self) -> Option<&UsbPath> {
        match self {
            Self::Hackrf(hackrf) => Some(&hackrf.path),
            Self::Gps(gps) => Some(&gps.path),
            Self::Wifi(_) => None,
        }
    }

    /// The kernel's name for its serial port at first.
    pub(super) fn node(&self) -> Option<&str> {
        match self {
            Self::Gps(gps) => Some(&gps.node),
            Self::Hackrf(_) | Self::Wifi(_) => None,
        }
    }
}
