#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{Flap, WifiMode};
use mainstay_config::names::MacAddress;
use proptest::prelude::*;

use super::*;
use crate::sighting::{Access, Generation, Key};

const SERIAL: &str = "000000000000000088c869dc2b5c8d1b";

fn usb(id: &str, serial: Option<&str>) -> UsbFacts {
    UsbFacts {
        id: id.parse().unwrap(),
        path: "1-1.4".parse().unwrap(),
        bus: 1,
        address: 7,
        serial: serial.map(str::to_owned),
        product: None,
        interface: None,
    }
}

fn sighting(usb: Option<UsbFacts>, sort: Sort) -> Sighting {
    Sighting { key: Key("k".to_owned()), generation: Generation("g".to_owned()), usb, sort, access: Access::Unknown }
}

fn usb_device(id: &str, serial: Option<&str>) -> Sighting {
    sighting(Some(usb(id, serial)), Sort::Usb { node: "/dev/bus/usb/001/007".into() })
}

fn tty(usb: Option<UsbFacts>, name: &str, driver: &str) -> Sighting {
    let node = PathBuf::from(format!("/dev/{name}"));
    sighting(usb, Sort::Tty { node, driver: Some(driver.to_owned()) })
}

fn wifi() -> Sighting {
    let facts = WifiFacts {
        wiphy: 2,
        ifindex: 5,
        interface: "wlan2".to_owned(),
        mac: MacAddress([2, 0, 0, 0, 2, 0]),
        driver: Some("mac80211_hwsim".to_owned()),
        mode: WifiMode::Monitor,
        link: Link::Up,
        supported: vec![WifiMode::Managed, WifiMode::Monitor],
        rfkill: Rfkill::Unblocked,
        others: vec![],
        manager: None,
    };
    sighting(None, Sort::Wifi(facts))
}

fn device(kind: DeviceKind, matching: Match) -> Device {
    let flap =
        Flap { departures: NonZeroU32::MIN, within: Duration::from_secs(60), quarantine: Duration::from_secs(30) };
    Device { name: "device".parse().unwrap(), kind, matching, flap }
}

fn by(change: impl FnOnce(&mut Match)) -> Match {
    let mut matching = Match::default();
    change(&mut matching);
    matching
}

#[test]
fn a_kind_only_takes_what_is_of_its_kind() {
    let all = [
        (DeviceKind::Hackrf, usb_device("1d50:6089", Some(SERIAL))),
        (DeviceKind::Usb, usb_device("046d:c52b", None)),
        (DeviceKind::Gps, tty(Some(usb("1546:01a7", None)), "ttyACM0", "cdc_acm")),
        (DeviceKind::Serial, tty(None, "ttyAMA0", "uart-pl011")),
        (DeviceKind::Wifi, wifi()),
    ];
    for (kind, sighting) in &all {
        assert!(matches(&device(*kind, Match::default()), sighting), "{kind:?}");
    }
    assert!(!matches(&device(DeviceKind::Hackrf, Match::default()), &all[1].1));
    assert!(!matches(&device(DeviceKind::Usb, Match::default()), &all[2].1));
    assert!(!matches(&device(DeviceKind::Gps, Match::default()), &all[0].1));
    assert!(!matches(&device(DeviceKind::Wifi, Match::default()), &all[3].1));
}

#[test]
fn a_serial_number_matches_without_its_zeros_and_in_any_case() {
    let hackrf = usb_device("1d50:6089", Some(SERIAL));
    for good in ["88c869dc2b5c8d1b", "88C869DC2B5C8D1B", SERIAL] {
        let wanted = by(|m| m.serial = Some(good.to_owned()));
        assert!(matches(&device(DeviceKind::Hackrf, wanted), &hackrf), "{good}");
    }
    let wanted = by(|m| m.serial = Some("88c869dc2b5c8d1c".to_owned()));
    assert!(!matches(&device(DeviceKind::Hackrf, wanted.clone()), &hackrf));
    assert!(!matches(&device(DeviceKind::Hackrf, wanted), &usb_device("1d50:6089", None)));
}

#[test]
fn a_bare_serial_port_is_never_taken_for_a_receiver_unasked() {
    let gps = device(DeviceKind::Gps, Match::default());
    assert!(!matches(&gps, &tty(None, "ttyS0", "serial8250")));
    assert!(!matches(&gps, &tty(Some(usb("2341:0043", None)), "ttyUSB0", "ftdi_sio")));
    assert!(matches(&gps, &tty(Some(usb("067b:2303", None)), "ttyUSB0", "pl2303")));
    let named = device(DeviceKind::Gps, by(|m| m.name = Some("ttyS0".to_owned())));
    assert!(matches(&named, &tty(None, "ttyS0", "serial8250")));
}

#[test]
fn every_part_of_a_match_must_hold() {
    type Part = fn(&mut Match);
    let parts: [(Part, Part); 3] = [
        (|m| m.mac = Some(MacAddress([2, 0, 0, 0, 2, 0])), |m| m.mac = Some(MacAddress([2, 0, 0, 0, 1, 0]))),
        (|m| m.driver = Some("mac80211_hwsim".to_owned()), |m| m.driver = Some("ath9k".to_owned())),
        (|m| m.name = Some("wlan2".to_owned()), |m| m.name = Some("wlan1".to_owned())),
    ];
    let all_good = by(|m| parts.iter().for_each(|(good, _)| good(m)));
    assert!(matches(&device(DeviceKind::Wifi, all_good.clone()), &wifi()));
    for (_, bad) in parts {
        let mut matching = all_good.clone();
        bad(&mut matching);
        assert!(!matches(&device(DeviceKind::Wifi, matching), &wifi()));
    }
}

#[test]
fn a_device_is_found_by_its_socket() {
    let wanted = by(|m| m.path = Some("1-1.4".parse().unwrap()));
    assert!(matches(&device(DeviceKind::Usb, wanted), &usb_device("046d:c52b", None)));
    let elsewhere = by(|m| m.path = Some("1-1.3".parse().unwrap()));
    assert!(!matches(&device(DeviceKind::Usb, elsewhere), &usb_device("046d:c52b", None)));
}

#[test]
fn a_hackrf_that_was_not_asked_shows_what_the_kernel_knows_of_it() {
    let words = identity(&usb_device("1d50:6089", Some(SERIAL)), Some(&Findings::Unread));
    assert_eq!(words, "USB device 1d50:6089, serial 88c869dc2b5c8d1b, not asked (somebody waited for it), USB 1-1.4");
}

#[test]
fn a_function_of_a_stick_is_found_by_its_interface() {
    let on = |interface: Option<&str>| {
        let interface = interface.map(|text| text.parse().unwrap());
        tty(Some(UsbFacts { interface, ..usb("0403:6011", None) }), "ttyUSB0", "ftdi_sio")
    };
    let wanted = device(DeviceKind::Serial, by(|m| m.interface = Some("if01".parse().unwrap())));
    assert!(matches(&wanted, &on(Some("if01"))) && matches(&wanted, &on(Some("if01-port0"))));
    assert!(!matches(&wanted, &on(Some("if00-port0"))) && !matches(&wanted, &on(None)));
}

#[test]
fn people_read_what_a_device_is() {
    assert_eq!(
        identity(&wifi(), Some(&Findings::Wifi)),
        "wlan2, 02:00:00:00:02:00, mac80211_hwsim, monitor (can be managed), up"
    );
    assert_eq!(
        identity(&usb_device("1d50:6089", Some(SERIAL)), None),
        "USB device 1d50:6089, serial 88c869dc2b5c8d1b, USB 1-1.4"
    );
    let silent = Findings::Unrecognised(Unrecognised::NoGps);
    let words = identity(&tty(Some(usb("10c4:ea60", None)), "ttyUSB0", "cp210x"), Some(&silent));
    assert_eq!(words, "serial port (cp210x) 10c4:ea60, /dev/ttyUSB0, not recognised, USB 1-1.4");
    let words = identity(&tty(Some(usb("10c4:ea60", None)), "ttyUSB0", "cp210x"), Some(&Findings::Unread));
    assert_eq!(
        words,
        "serial port (cp210x) 10c4:ea60, /dev/ttyUSB0, not listened to (somebody waited for it), USB 1-1.4"
    );
}

proptest! {
    #[test]
    fn zeros_before_a_serial_number_never_matter(zeros in 0usize..40, serial in "[0-9a-f]{1,32}") {
        let padded = format!("{}{serial}", "0".repeat(zeros));
        let wanted = by(|m| m.serial = Some(padded));
        prop_assert!(matches(&device(DeviceKind::Usb, wanted), &usb_device("10c4:ea60", Some(&serial))));
    }
}
