//! `[hardware.NAME]`: devices, and whether what recognises them fits their kind.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::diagnostics::{Code, Report};
use crate::model::{Device, DeviceKind, Flap, HACKRF_IDS, Match};
use crate::names::DeviceName;
use crate::read::{Entry, Wholly, instead_of, joined};
use crate::schema::{File, FlapTable, HardwareTable, MatchTable};

pub(super) fn devices(file: &File, report: &mut Report) -> BTreeMap<DeviceName, Device> {
    let mut devices = BTreeMap::new();
    let Some(map) = file.hardware.value() else { return devices };
    for (name, entry) in &map.entries {
        if let Some(device) = device(name, entry, report) {
            devices.insert(name.clone(), device);
        }
    }
    for (written, entry) in &map.misnamed {
        device(&DeviceName::misnamed(&joined("", written)), entry, report);
    }
    devices
}

/// Without its kind nothing can be said about a device; that it is missing has been reported.
fn device(name: &DeviceName, entry: &Entry<Wholly<HardwareTable>>, report: &mut Report) -> Option<Device> {
    let table = entry.value.value()?;
    let kind = table.kind.value().copied()?;
    if let Some(said) = table.r#match.value() {
        fits(kind, said, report);
    }
    Some(Device {
        name: name.clone(),
        kind,
        matching: table.r#match.value().map(matching).unwrap_or_default(),
        flap: flap(table.flap.value()),
    })
}

fn matching(table: &MatchTable) -> Match {
    Match {
        serial: table.serial.value().map(|text| text.0.clone()),
        usb: table.usb.value().copied(),
        path: table.path.value().cloned(),
        interface: table.interface.value().copied(),
        mac: table.mac.value().copied(),
        driver: table.driver.value().map(|text| text.0.clone()),
        name: table.name.value().map(|text| text.0.clone()),
    }
}

/// The keys of `match` that say something about a device of this kind.
pub(crate) fn match_keys(kind: DeviceKind) -> &'static [&'static str] {
    match kind {
        DeviceKind::Hackrf | DeviceKind::Usb => &["serial", "usb", "path"],
        DeviceKind::Gps | DeviceKind::Serial => &["serial", "usb", "path", "interface", "driver", "name"],
        DeviceKind::Wifi => &["mac", "serial", "usb", "path", "interface", "driver", "name"],
    }
}

fn fits(kind: DeviceKind, said: &MatchTable, report: &mut Report) {
    let spans = [
        ("serial", said.serial.span()),
        ("usb", said.usb.span()),
        ("path", said.path.span()),
        ("interface", said.interface.span()),
        ("mac", said.mac.span()),
        ("driver", said.driver.span()),
        ("name", said.name.span()),
    ];
    for (key, span) in spans {
        let Some(span) = span else { continue };
        if match_keys(kind).contains(&key) {
            // What to write instead of another name of the device depends on its kind.
            if key != "name" {
                report.cure(span, |written| instead_of(written, Some(kind)));
            }
            continue;
        }
        let message = format!("a device of kind `{}` is not recognised by `{key}`", kind.as_str());
        let help = format!("use one of {}", crate::suggest::list(match_keys(kind).iter().copied()));
        report.problem(Code::KindMismatch, span, message, help);
    }
    let usb = said.usb.said().filter(|usb| kind == DeviceKind::Hackrf && !HACKRF_IDS.contains(&usb.value));
    if let Some(usb) = usb {
        let ids = HACKRF_IDS.map(|id| id.to_string());
        let help = format!("use {}, or kind = \"usb\"", crate::suggest::list(ids.iter().map(String::as_str)));
        let message = format!("{} is not the USB id of a HackRF", usb.value);
        report.problem(Code::KindMismatch, &usb.span, message, help);
    }
}

fn flap(table: Option<&FlapTable>) -> Flap {
    const DEPARTURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
    Flap {
        departures: table.and_then(|t| t.departures.value()).map_or(DEPARTURES, |n| n.number()),
        within: table.and_then(|t| t.within.value()).map_or(Duration::from_secs(60), |time| time.0),
        quarantine: table.and_then(|t| t.quarantine.value()).map_or(Duration::from_secs(30), |time| time.0),
    }
}
