//! The hardware of `mainstay run --demo`: that of a small field station.

use mainstay_config::model::WifiMode;
use mainstay_config::names::{MacAddress, UsbId, UsbPath};

use super::device::{Body, Presence, Radio, SimulatedDevice, SimulatedGps, SimulatedHackrf};
use crate::bus::{Fix, GpsProtocol};
use crate::sighting::Link;

/// A HackRF, a GPS receiver and two radios.
pub(super) fn devices() -> Vec<SimulatedDevice> {
    let device = |name: &str, body| SimulatedDevice { name: name.to_owned(), presence: Presence::Plugged, body };
    vec![
        device("hackrf", Body::Hackrf(hackrf())),
        device("gps", Body::Gps(gps())),
        device("uplink", Body::Wifi(radio("wlan1", 1, Link::Up))),
        device("wlan2", Body::Wifi(radio("wlan2", 2, Link::Down))),
    ]
}

fn hackrf() -> SimulatedHackrf {
    SimulatedHackrf {
        id: UsbId { vendor: 0x1d50, product: 0x6089 },
        path: socket("1-1"),
        serial: "000000000000000088c869dc2b5c8d1b".to_owned(),
        board: "HackRF One r9".to_owned(),
        firmware: "2024.02.1".to_owned(),
    }
}

fn gps() -> SimulatedGps {
    SimulatedGps {
        id: UsbId { vendor: 0x1546, product: 0x01a7 },
        path: socket("1-2"),
        serial: "demo-gps".to_owned(),
        product: "u-blox GPS receiver".to_owned(),
        node: "ttyACM0".to_owned(),
        driver: "cdc_acm".to_owned(),
        baud: 9600,
        protocol: GpsProtocol::Nmea,
        fix: Fix::ThreeD,
    }
}

fn radio(interface: &str, number: u8, link: Link) -> Radio {
    Radio {
        interface: interface.to_owned(),
        mac: MacAddress([0x02, 0, 0, 0, number, 0]),
        driver: "mac80211_hwsim".to_owned(),
        mode: WifiMode::Managed,
        link,
        supported: vec![WifiMode::Managed, WifiMode::Monitor, WifiMode::Ap, WifiMode::Ibss, WifiMode::Mesh],
    }
}

#[allow(clippy::expect_used, reason = "literals of this file; the demo's test goes through them all")]
fn socket(path: &str) -> UsbPath {
    path.parse().expect("a USB port path")
}
