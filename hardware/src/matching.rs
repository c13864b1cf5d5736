//! Which configured device a sighting is, and how to speak of it to people.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mainstay_config::model::{Device, DeviceKind, HACKRF_IDS, Match, same_serial, short_serial};
use mainstay_config::names::UsbId;

use crate::bus::{Findings, Fix, GpsProtocol, Unrecognised};
use crate::modes;
use crate::sighting::{Link, Rfkill, Sighting, Sort, UsbFacts, WifiFacts};

/// u-blox receivers, generations 5 to 9, as gpsd's own udev rules have them.
const UBLOX_VENDOR: u16 = 0x1546;
const UBLOX_PRODUCTS: std::ops::RangeInclusive<u16> = 0x01a5..=0x01a9;

/// No fault: whoever waited for it has it at once.
const UNREAD: &str = "not listened to (somebody waited for it)";
const UNASKED: &str = "not asked (somebody waited for it)";

/// The bridges that GPS receivers are sold with: PL2303, CP210x, FT232, CH340.
const GPS_BRIDGES: [UsbId; 4] = [id(0x067b, 0x2303), id(0x10c4, 0xea60), id(0x0403, 0x6001), id(0x1a86, 0x7523)];

const fn id(vendor: u16, product: u16) -> UsbId {
    UsbId { vendor, product }
}

/// Whether a sighting is this configured device: its kind, and every part of its `match`.
#[must_use]
pub fn matches(device: &Device, sighting: &Sighting) -> bool {
    is_meant(device.kind, &device.matching, sighting)
}

/// Whether a sighting is of this kind, and all that is said of it holds.
pub(crate) fn is_meant(kind: DeviceKind, matching: &Match, sighting: &Sighting) -> bool {
    let any = Match::default();
    let kind = match (kind, &sighting.sort) {
        (DeviceKind::Hackrf, Sort::Usb { .. }) => is_hackrf(sighting),
        (DeviceKind::Gps, Sort::Tty { .. }) => *matching != any || is_likely_gps(sighting),
        (DeviceKind::Usb, Sort::Usb { .. })
        | (DeviceKind::Serial, Sort::Tty { .. })
        | (DeviceKind::Wifi, Sort::Wifi(_)) => true,
        _ => false,
    };
    kind && all_hold(matching, sighting)
}

fn all_hold(wanted: &Match, sighting: &Sighting) -> bool {
    let usb = sighting.usb.as_ref();
    let Match { serial, usb: usb_id, path, interface, mac, driver, name } = wanted;
    holds(serial.as_deref(), |s| usb.and_then(|u| u.serial.as_deref()).is_some_and(|have| same_serial(s, have)))
        && holds(usb_id.as_ref(), |i| usb.is_some_and(|u| u.id == *i))
        && holds(path.as_ref(), |p| usb.is_some_and(|u| u.path == *p))
        && holds(*interface, |i| usb.and_then(|u| u.interface).is_some_and(|have| i.means(have)))
        && holds(mac.as_ref(), |m| matches!(&sighting.sort, Sort::Wifi(w) if w.mac == *m))
        && holds(driver.as_deref(), |d| driver_of(sighting) == Some(d))
        && holds(name.as_deref(), |n| kernel_name(sighting) == Some(n))
}

/// What is not asked for always holds.
fn holds<T>(asked: Option<T>, check: impl FnOnce(T) -> bool) -> bool {
    asked.is_none_or(check)
}

pub(crate) fn is_hackrf(sighting: &Sighting) -> bool {
    sighting.usb.as_ref().is_some_and(|u| HACKRF_IDS.contains(&u.id))
}

/// A serial port that is a GPS receiver often enough to be taken for one when nothing else is said. A port that is
/// not on USB never is: it may be the console.
pub(crate) fn is_likely_gps(sighting: &Sighting) -> bool {
    let Some(usb) = &sighting.usb else { return false };
    let ublox = usb.id.vendor == UBLOX_VENDOR && UBLOX_PRODUCTS.contains(&usb.id.product);
    ublox || GPS_BRIDGES.contains(&usb.id) || driver_of(sighting) == Some("cdc_acm")
}

fn driver_of(sighting: &Sighting) -> Option<&str> {
    match &sighting.sort {
        Sort::Usb { .. } => None,
        Sort::Tty { driver, .. } => driver.as_deref(),
        Sort::Wifi(wifi) => wifi.driver.as_deref(),
    }
}

pub(crate) fn kernel_name(sighting: &Sighting) -> Option<&str> {
    match &sighting.sort {
        Sort::Usb { .. } => None,
        Sort::Tty { node, .. } => node.file_name()?.to_str(),
        Sort::Wifi(wifi) => Some(&wifi.interface),
    }
}

/// The device node that programs open; a radio has none.
#[must_use]
pub fn present_node(sighting: &Sighting) -> Option<&Path> {
    match &sighting.sort {
        Sort::Usb { node } | Sort::Tty { node, .. } => Some(node),
        Sort::Wifi(_) => None,
    }
}

/// The present name of a radio's main interface.
#[must_use]
pub fn interface(sighting: &Sighting) -> Option<&str> {
    match &sighting.sort {
        Sort::Wifi(wifi) => Some(&wifi.interface),
        Sort::Usb { .. } | Sort::Tty { .. } => None,
    }
}

/// The serial number as the device itself writes it (a HackRF: all 32 digits, as its own tools want it).
#[must_use]
pub fn serial(sighting: &Sighting, findings: Option<&Findings>) -> Option<String> {
    match findings {
        Some(Findings::Hackrf { serial: Some(serial), .. }) => Some(serial.clone()),
        _ => sighting.usb.as_ref()?.serial.clone(),
    }
}

/// What a piece of hardware is known for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// What the kernel says of it.
    pub sighting: Arc<Sighting>,
    /// What it said itself, when it was asked.
    pub findings: Option<Findings>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&identity(&self.sighting, self.findings.as_ref()))
    }
}

/// Who it is, for people: `HackRF One r9, serial 88c869dc2b5c8d1b, firmware 2024.02.1, USB 1-1`.
#[must_use]
pub fn identity(sighting: &Sighting, findings: Option<&Findings>) -> String {
    let mut words = match &sighting.sort {
        Sort::Usb { .. } => usb_words(sighting, findings),
        Sort::Tty { node, driver } => tty_words(sighting, node, driver.as_deref(), findings),
        Sort::Wifi(wifi) => wifi_words(wifi),
    };
    match findings {
        Some(Findings::Unrecognised(_)) => words.push("not recognised".to_owned()),
        Some(Findings::Unread) if matches!(sighting.sort, Sort::Tty { .. }) => words.push(UNREAD.to_owned()),
        Some(Findings::Unread) => words.push(UNASKED.to_owned()),
        _ => {}
    }
    if let Some(usb) = &sighting.usb {
        words.push(format!("USB {}", usb.path));
    }
    words.join(", ")
}

fn usb_words(sighting: &Sighting, findings: Option<&Findings>) -> Vec<String> {
    let board = match findings {
        Some(Findings::Hackrf { board, .. }) => Some(board.clone()),
        _ => None,
    };
    let mut words = vec![board.unwrap_or_else(|| product(sighting.usb.as_ref(), "USB device"))];
    if let Some(serial) = serial(sighting, findings).filter(|s| !short_serial(s).is_empty()) {
        words.push(format!("serial {}", short_serial(&serial)));
    }
    if let Some(Findings::Hackrf { firmware, .. }) = findings {
        words.push(format!("firmware {firmware}"));
    }
    words
}

fn product(usb: Option<&UsbFacts>, otherwise: &str) -> String {
    match usb {
        Some(UsbFacts { product: Some(product), .. }) => product.clone(),
        Some(usb) => format!("{otherwise} {}", usb.id),
        None => otherwise.to_owned(),
    }
}

fn tty_words(sighting: &Sighting, node: &Path, driver: Option<&str>, findings: Option<&Findings>) -> Vec<String> {
    let otherwise = driver.map_or_else(|| "serial port".to_owned(), |d| format!("serial port ({d})"));
    let mut words = vec![product(sighting.usb.as_ref(), &otherwise), node.display().to_string()];
    if let Some(Findings::Gps { baud, protocol, fix }) = findings {
        words.extend(gps_words(*baud, *protocol, *fix));
    }
    words
}

fn gps_words(baud: u32, protocol: GpsProtocol, fix: Option<Fix>) -> Vec<String> {
    let protocol = match protocol {
        GpsProtocol::Nmea => "NMEA",
        GpsProtocol::Ubx => "UBX",
    };
    let mut words = vec![format!("{baud} baud {protocol}")];
    words.extend(fix.map(|fix| fix_words(fix).to_owned()));
    words
}

/// What a look at a device found, for people: `HackRF One r9, firmware 2024.02.1`.
#[must_use]
pub fn findings_words(findings: &Findings) -> String {
    match findings {
        Findings::Hackrf { board, firmware, .. } => format!("{board}, firmware {firmware}"),
        Findings::Gps { baud, protocol, fix } => gps_words(*baud, *protocol, *fix).join(", "),
        Findings::Wifi => "a radio".to_owned(),
        Findings::Opened => "it can be opened".to_owned(),
        Findings::Unrecognised(why) => format!("not recognised: {why}"),
        Findings::Unread => UNASKED.to_owned(),
    }
}

impl fmt::Display for Unrecognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHackrf(said) => write!(f, "it does not answer as a HackRF does: {said}"),
            Self::NoGps => f.write_str("no NMEA and no UBX came"),
            Self::NoGpsAtAnySpeed => f.write_str("no NMEA and no UBX came at any usual speed"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

fn fix_words(fix: Fix) -> &'static str {
    match fix {
        Fix::None => "no fix",
        Fix::TwoD => "2D fix",
        Fix::ThreeD => "3D fix",
    }
}

fn wifi_words(wifi: &WifiFacts) -> Vec<String> {
    let mut words = vec![wifi.interface.clone(), wifi.mac.to_string()];
    words.extend(wifi.driver.clone());
    words.push(modes::words(wifi.mode, &wifi.supported));
    words.push(if wifi.link == Link::Up { "up" } else { "down" }.to_owned());
    match wifi.rfkill {
        Rfkill::Unblocked => {}
        Rfkill::Soft => words.push("blocked by rfkill".to_owned()),
        Rfkill::Hard => words.push("blocked by a switch".to_owned()),
    }
    if !wifi.others.is_empty() {
        words.push(format!("also {}", wifi.others.join(" and ")));
    }
    words.extend(wifi.manager.as_ref().map(|m| format!("managed by {m}")));
    words
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
