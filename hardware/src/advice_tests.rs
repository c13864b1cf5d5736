#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::num::NonZeroU32;
use std::time::Duration;

use mainstay_config::model::{Flap, WifiMode};
use mainstay_config::names::MacAddress;
use proptest::prelude::*;

use super::*;
use crate::matching::matches;
use crate::sighting::{Access, Generation, Key, Link, Rfkill, UsbFacts, WifiFacts};

fn usb(id: &str, serial: Option<&str>, path: &str) -> UsbFacts {
    UsbFacts {
        id: id.parse().unwrap(),
        path: path.parse().unwrap(),
        bus: 1,
        address: 7,
        serial: serial.map(str::to_owned),
        product: None,
        interface: None,
    }
}

fn stick(id: &str, serial: Option<&str>, path: &str) -> Sighting {
    let (key, generation) = (Key(format!("usb/{path}")), Generation("g".to_owned()));
    Sighting {
        key,
        generation,
        usb: Some(usb(id, serial, path)),
        sort: Sort::Usb { node: "/dev/bus/usb/001/007".into() },
        access: Access::Unknown,
    }
}

fn port(on: Option<UsbFacts>, interface: Option<&str>, name: &str) -> Sighting {
    let interface = interface.map(|text| text.parse().unwrap());
    let sort = Sort::Tty { node: format!("/dev/{name}").into(), driver: Some("ftdi_sio".to_owned()) };
    let usb = on.map(|usb| UsbFacts { interface, ..usb });
    Sighting {
        key: Key(format!("tty/{name}")),
        generation: Generation("g".to_owned()),
        usb,
        sort,
        access: Access::Unknown,
    }
}

fn radio(interface: &str, on: Option<UsbFacts>) -> Sighting {
    let facts = WifiFacts {
        wiphy: 2,
        ifindex: 5,
        interface: interface.to_owned(),
        mac: MacAddress([2, 0, 0, 0, 2, 0]),
        driver: None,
        mode: WifiMode::Managed,
        link: Link::Up,
        supported: Vec::new(),
        rfkill: Rfkill::Unblocked,
        others: Vec::new(),
        manager: None,
    };
    let (key, generation) = (Key(format!("wifi/{interface}")), Generation("g".to_owned()));
    Sighting { key, generation, usb: on, sort: Sort::Wifi(facts), access: Access::Unknown }
}

fn configured(name: &str, kind: DeviceKind, matching: Match) -> Device {
    let flap =
        Flap { departures: NonZeroU32::MIN, within: Duration::from_secs(60), quarantine: Duration::from_secs(30) };
    Device { name: name.parse().unwrap(), kind, matching, flap }
}

fn advised(pieces: &[Sighting]) -> Vec<String> {
    let pieces: Vec<&Sighting> = pieces.iter().collect();
    advise(&pieces, &pieces, &[]).iter().map(ToString::to_string).collect()
}

/// The devices of a configuration that consists of this advice.
fn checked(advice: &[String]) -> Vec<Device> {
    let text = advice.concat();
    let loaded = mainstay_config::parse("advice.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}: {text}"));
    loaded.station.devices.into_values().collect()
}

#[test]
fn one_piece_is_told_by_the_least_that_stays_the_same() {
    let hackrf = stick("1d50:6089", Some("000000000000000088c869dc2b5c8d1b"), "1-1");
    let lines = ["[hardware.hackrf]", "kind = \"hackrf\"", "match = { serial = \"88c869dc2b5c8d1b\" }", ""].join("\n");
    assert_eq!(advised(&[hackrf]), [lines]);
    let nameless = stick("046d:c52b", Some("0000"), "1-1.4");
    let lines =
        ["[hardware.usb1-1-4]", "kind = \"usb\"", "match = { usb = \"046d:c52b\", path = \"1-1.4\" }", ""].join("\n");
    assert_eq!(advised(&[nameless]), [lines]);
    assert!(advised(&[radio("wlan2", None)])[0].contains("match = { mac = \"02:00:00:00:02:00\" }"));
    assert!(advised(&[port(None, None, "ttyAMA0")])[0].contains("match = { name = \"ttyAMA0\" }"));
    let receiver = port(Some(usb("1546:01a7", Some("x"), "1-2")), Some("if00"), "ttyACM0");
    assert!(advised(&[receiver])[0].contains("match = { usb = \"1546:01a7\", serial = \"x\" }"));
}

#[test]
fn sticks_with_one_serial_number_are_told_apart_by_their_sockets() {
    let sticks = [
        stick("0bda:2838", Some("00000001"), "1-1"),
        stick("0bda:2838", Some("00000001"), "2-1"),
        stick("0bda:2838", None, "3-1"),
        stick("1d50:6089", Some("88c869dc2b5c8d1b"), "1-2"),
        stick("1d50:6089", Some("88c869dc2b5c8d1b"), "1-3"),
    ];
    let advice = advised(&sticks);
    assert!(advice[0].contains("serial = \"00000001\", path = \"1-1\""), "{advice:?}");
    assert!(advice[3].starts_with("[hardware.hackrf]") && advice[4].starts_with("[hardware.hackrf-2]"), "{advice:?}");
    assert_eq!(checked(&advice).len(), 5);
}

#[test]
fn functions_of_one_stick_are_told_apart_by_their_interfaces() {
    let on = Some(usb("0403:6011", Some("FT1"), "1-1"));
    let ports = [port(on.clone(), Some("if00-port0"), "ttyUSB0"), port(on, Some("if01-port0"), "ttyUSB1")];
    let advice = advised(&ports);
    assert!(advice[1].contains("serial = \"FT1\", interface = \"if01-port0\""), "{advice:?}");
    assert_eq!(checked(&advice).len(), 2);
}

#[test]
fn radios_with_one_address_are_told_apart_by_their_sockets() {
    let on = |path| Some(usb("0bda:8812", None, path));
    let advice = advised(&[radio("wlan1", on("1-1")), radio("wlan2", on("1-2"))]);
    assert!(advice[1].contains("mac = \"02:00:00:00:02:00\", path = \"1-2\""), "{advice:?}");
}

#[test]
fn where_a_configured_device_could_be_it_as_well_that_is_said_with_what_to_write_there() {
    let [first, second] = ["1-1", "1-2"].map(|path| stick("0bda:2838", Some("1"), path));
    let matching = Match { serial: Some("1".to_owned()), ..Match::default() };
    let adsb = configured("adsb", DeviceKind::Usb, matching);
    let other = configured("usb1-2", DeviceKind::Wifi, Match::default());
    let all = [Configured { device: &adsb, is: Some(&first) }, Configured { device: &other, is: None }];
    let advice = advise(&[&second], &[&first, &second], &all)[0].to_string();
    let mend = "first give [hardware.adsb] match = { usb = \"0bda:2838\", serial = \"1\", path = \"1-1\" }\n";
    assert!(advice.contains(mend), "{advice:?}");
    assert!(advice.contains("[hardware.usb1-2-2]"), "the name is taken: {advice:?}");
    let told = configured("adsb", DeviceKind::Usb, telling_match(DeviceKind::Usb, &first, &[&first, &second]));
    let advice = advise(&[&second], &[&first, &second], &[Configured { device: &told, is: Some(&first) }]);
    assert!(advice[0].first.is_empty(), "{advice:?}");
}

/// Anything that can be plugged in: few serial numbers and ids, so that much is alike.
fn anything() -> impl Strategy<Value = Sighting> {
    let id = prop_oneof![Just("0bda:2838"), Just("1d50:6089"), Just("10c4:ea60")];
    let serial = prop_oneof![Just(None), Just(Some("1")), Just(Some("0001")), Just(Some("x")), Just(Some("000"))];
    (id, serial, 0u8..4, 0u8..3, 0u8..4).prop_map(|(id, serial, socket, interface, what)| {
        let path = format!("1-{}", socket + 1);
        let interface = format!("if0{interface}-port0");
        match what {
            0 => stick(id, serial, &path),
            1 => port(Some(usb(id, serial, &path)), Some(&interface), &format!("ttyUSB{socket}{interface}")),
            2 => port(None, None, &format!("ttyS{socket}")),
            _ => radio(&format!("wlan{socket}"), Some(usb(id, serial, &path))),
        }
    })
}

proptest! {
    /// All the lines together pass `check`, and each means its own piece of hardware and no other.
    #[test]
    fn whatever_is_plugged_in_the_advice_passes_and_means_each_piece_alone(
        pieces in proptest::collection::btree_map(0u8..12, anything(), 0..8),
    ) {
        // A socket holds one device: all that is said of it there is the same. What shows a port or a radio is shown as that only.
        let mut devices = std::collections::BTreeMap::new();
        let mut keys = BTreeSet::new();
        let mut there = Vec::new();
        for piece in pieces.into_values() {
            let mut piece = piece;
            let whole = matches!(piece.sort, Sort::Usb { .. });
            if let Some(usb) = &mut piece.usb {
                let (known, was_whole) = devices.entry(usb.path.clone()).or_insert_with(|| (usb.clone(), whole)).clone();
                if whole != was_whole || (whole && there.iter().any(|other: &Sighting| other.key == piece.key)) { continue }
                *usb = UsbFacts { interface: usb.interface, ..known };
            }
            if keys.insert(piece.key.clone()) { there.push(piece); }
        }
        let devices = checked(&advised(&there));
        prop_assert_eq!(devices.len(), there.len());
        for piece in &there {
            prop_assert_eq!(devices.iter().filter(|device| matches(device, piece)).count(), 1, "{:?}", piece);
        }
        for device in &devices {
            prop_assert_eq!(there.iter().filter(|piece| matches(device, piece)).count(), 1, "{:?}", device);
        }
    }

    #[test]
    fn whatever_a_device_calls_itself_the_advice_passes(serial in any::<String>(), name in "\\PC{0,40}") {
        // As sysfs is read: without control characters and the white space around it.
        let serial: String = serial.chars().filter(|c| !c.is_control()).collect();
        let serial = Some(serial.trim()).filter(|serial| !serial.is_empty());
        let name = if name.trim().is_empty() { "x".to_owned() } else { name.replace('/', "_") };
        prop_assert_eq!(checked(&advised(&[stick("10c4:ea60", serial, "1-1"), port(None, None, &name)])).len(), 2);
    }
}
