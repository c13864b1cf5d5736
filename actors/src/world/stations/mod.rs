//! Stations to try things on: one like the demo's, a big one, and random ones.

#![allow(clippy::expect_used, reason = "names and templates are literals, or made of letters and digits")]

mod draft;
mod random;

use mainstay_config::model::{DeviceKind, Sharing, Station, WifiMode};

pub use self::draft::{Draft, assemble};
pub use self::random::random;

/// A station like the demo's: a HackRF, a GPS and two radios; gpsd, Kismet, OpenWebRX, WigleToTAK, and two that come seldom.
#[must_use]
pub fn demo() -> Station {
    let devices = [
        ("gps", DeviceKind::Gps),
        ("hackrf", DeviceKind::Hackrf),
        ("wlan1", DeviceKind::Wifi),
        ("wlan2", DeviceKind::Wifi),
    ];
    let services = vec![
        Draft::new("gpsd").device("gps", Sharing::Exclusive).port("gpsd", 2947),
        Draft::new("kismet")
            .radio("wlan2", Sharing::Exclusive, WifiMode::Monitor)
            .port("api", 2501)
            .requires("gpsd", 15),
        Draft::new("openwebrx").device("hackrf", Sharing::Exclusive).priority("hackrf", 10).range("web", 8073, 8080),
        Draft::new("wigletotak").requires("kismet", 0).wants("gpsd").range("web", 8000, 8010),
        Draft::new("sweep").device("hackrf", Sharing::Exclusive).after("openwebrx").autostart_no(),
        Draft::new("mavgps").port("gpsd", 2947).conflicts("gpsd").autostart_no(),
    ];
    assemble(&devices, services)
}

/// A station of so many services: groups of five, each with a device, a service that uses it, and four that depend on it.
#[must_use]
pub fn big(services: usize) -> Station {
    let kinds = [DeviceKind::Gps, DeviceKind::Hackrf, DeviceKind::Wifi];
    let groups = services.div_ceil(5);
    let names: Vec<(String, DeviceKind)> =
        (0..groups).zip(kinds.into_iter().cycle()).map(|(group, kind)| (format!("device{group}"), kind)).collect();
    let devices: Vec<(&str, DeviceKind)> = names.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let draft = |number: usize| {
        let (group, place) = (number / 5, number % 5);
        let draft = Draft::new(&format!("service{number}"));
        let first = format!("service{}", group * 5);
        match place {
            0 => draft.device(&format!("device{group}"), Sharing::Exclusive),
            1 | 2 => draft.requires(&first, 15),
            3 => draft.wants(&first),
            _ => draft.requires(&format!("service{}", group * 5 + 1), 15),
        }
    };
    assemble(&devices, (0..services).map(draft).collect())
}
