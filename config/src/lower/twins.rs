//! Twins: devices that one and the same piece of hardware could be.

use std::ops::Range;

use crate::diagnostics::{Code, Report};
use crate::model::{Device, DeviceKind, HACKRF_IDS, Match, Station, same_serial};
use crate::read::Wholly;
use crate::schema::File;

/// One problem for every device that an earlier one cannot be told apart from.
pub(super) fn check(file: &File, station: &Station, report: &mut Report) {
    let Some(map) = file.hardware.value() else { return };
    let mut places: Vec<(&Device, Range<usize>)> = Vec::new();
    for (name, device) in &station.devices {
        let Some(entry) = map.entries.get(name) else { continue };
        // What could not be read may be what its device is told apart by.
        if let Some(Wholly::Read(table)) = entry.value.value() {
            places.push((device, table.r#match.span().unwrap_or(&entry.key).clone()));
        }
    }
    places.sort_by_key(|(_, span)| span.start);
    for (at, (device, span)) in places.iter().enumerate() {
        let earlier = places.iter().take(at).find(|(other, _)| could_be_one(what(device), what(other)));
        if let Some((other, _)) = earlier {
            let message =
                format!("`{}` and `{}` cannot be told apart: one device could be both", other.name, device.name);
            report.problem(Code::Twins, span, message, cure(device, other));
        }
    }
}

/// Whether one piece of hardware could be both: then they cannot be told apart.
#[must_use]
pub fn could_be_one((kind_a, a): (DeviceKind, &Match), (kind_b, b): (DeviceKind, &Match)) -> bool {
    use DeviceKind::{Gps, Hackrf, Serial, Usb};
    let kinds = match (kind_a, kind_b) {
        (x, y) if x == y => true,
        (Gps, Serial) | (Serial, Gps) => true,
        (Hackrf, Usb) => b.usb.is_none_or(|id| HACKRF_IDS.contains(&id)),
        (Usb, Hackrf) => a.usb.is_none_or(|id| HACKRF_IDS.contains(&id)),
        // A plain USB device may be the same stick as a serial port or a radio; only what both say can tell.
        (Usb, _) | (_, Usb) => agree(a, b),
        _ => false,
    };
    kinds && !differ(a, b)
}

/// What a device is recognised by.
fn what(device: &Device) -> (DeviceKind, &Match) {
    (device.kind, &device.matching)
}

/// Whether something that both say is different.
fn differ(a: &Match, b: &Match) -> bool {
    fn both<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
        a.zip(b).is_some_and(|(a, b)| a != b)
    }
    serials(a, b).is_some_and(|(a, b)| !same_serial(a, b))
        || both(a.usb, b.usb)
        || both(a.path.as_ref(), b.path.as_ref())
        || a.interface.zip(b.interface).is_some_and(|(a, b)| a.excludes(b))
        || both(a.mac, b.mac)
        || both(a.driver.as_deref(), b.driver.as_deref())
        || both(a.name.as_deref(), b.name.as_deref())
        || (is_built_in(a) && is_on_usb(b))
        || (is_built_in(b) && is_on_usb(a))
}

/// Whether it names a serial port that is part of the board, such as `ttyAMA0` or `ttyS0`: those have no USB side.
fn is_built_in(matching: &Match) -> bool {
    let on_usb = |name: &str| name.starts_with("ttyUSB") || name.starts_with("ttyACM");
    matching.name.as_deref().is_some_and(|name| name.starts_with("tty") && !on_usb(name))
}

/// Whether it says something that only a USB device has.
fn is_on_usb(matching: &Match) -> bool {
    matching.serial.is_some() || matching.usb.is_some() || matching.path.is_some() || matching.interface.is_some()
}

/// Whether both name the same serial number, USB id or port.
fn agree(a: &Match, b: &Match) -> bool {
    fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
        a.zip(b).is_some_and(|(a, b)| a == b)
    }
    serials(a, b).is_some_and(|(a, b)| same_serial(a, b))
        || same(a.usb, b.usb)
        || same(a.path.as_ref(), b.path.as_ref())
}

/// The serial numbers, where both say one.
fn serials<'a>(a: &'a Match, b: &'a Match) -> Option<(&'a str, &'a str)> {
    a.serial.as_deref().zip(b.serial.as_deref())
}

fn cure(a: &Device, b: &Device) -> String {
    let what = match (a.kind, b.kind) {
        (DeviceKind::Wifi, DeviceKind::Wifi) => "mac = \"…\" (as in `ip link`)",
        (DeviceKind::Hackrf, DeviceKind::Hackrf) => {
            "serial = \"…\" (as in `hackrf_info`) or path = \"1-1\" (the USB port)"
        }
        (DeviceKind::Usb, _) | (_, DeviceKind::Usb) => "serial = \"…\", usb = \"…\" or path = \"1-1\" (the USB port)",
        _ => "serial = \"…\", usb = \"…\", path = \"1-1\" (the USB port) or interface = \"if01\" (of one USB device)",
    };
    format!("give both a `match` with different {what}")
}
