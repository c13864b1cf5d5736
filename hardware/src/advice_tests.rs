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

#[test]
fn nothing_more_is_said_for_a_device_that_it_could_be_all_the_same() {
    let [mut first, mut second] = ["wlan1", "wlan2"].map(|name| radio(name, None));
    for (piece, last) in [(&mut first, 1), (&mut second, 2)] {
        let Sort::Wifi(facts) = &mut piece.sort else { unreachable!() };
        facts.mac = MacAddress([2, 0, 0, 0, last, 0]);
        facts.driver = Some("mac80211_hwsim".to_owned());
    }
    let both = [&first, &second];
    let by_name = Match { name: Some("wlan7".to_owned()), ..Match::default() };
    let by_driver = Match { driver: Some("mac80211_hwsim".to_owned()), ..Match::default() };
    for matching in [Match::default(), by_driver.clone(), by_name] {
        let device = configured("radio", DeviceKind::Wifi, matching);
        let advice = advise(&both, &both, &[Configured { device: &device, is: None }]);
        for (one, mac) in advice.iter().zip(["02:00:00:00:01:00", "02:00:00:00:02:00"]) {
            assert_eq!(match_words(&one.matching), format!("{{ mac = \"{mac}\" }}"));
            assert!(
                one.to_string().starts_with("# radio could be this as well: put these lines in the place of"),
                "{one}"
            );
        }
    }
    let taken = configured("radio", DeviceKind::Wifi, by_driver);
    let advice = advise(&[&second], &both, &[Configured { device: &taken, is: Some(&first) }])[0].to_string();
    assert!(advice.contains("first give [hardware.radio] match = { mac = \"02:00:00:00:01:00\" }\n"), "{advice}");
    assert!(advice.ends_with("match = { mac = \"02:00:00:00:02:00\" }\n"), "{advice}");

    let receiver = port(Some(usb("1546:01a7", Some("x"), "1-2")), Some("if00"), "ttyACM0");
    let elsewhere = |matching| {
        let device = configured("other", DeviceKind::Serial, matching);
        advise(&[&receiver], &[&receiver], &[Configured { device: &device, is: None }])[0].to_string()
    };
    let by_name = elsewhere(Match { name: Some("ttyUSB7".to_owned()), ..Match::default() });
    assert!(by_name.ends_with("match = { usb = \"1546:01a7\", serial = \"x\" }\n"), "{by_name}");
    let by_socket = elsewhere(Match { path: Some("1-3".parse().unwrap()), ..Match::default() });
    assert!(
        by_socket.ends_with("serial = \"x\", path = \"1-2\" }\n") && !by_socket.contains('#'),
        "it helps: {by_socket}"
    );
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

/// A socket holds one device: all that is said of it there is the same. What shows a port or a radio is shown as that only.
fn plugged(pieces: impl IntoIterator<Item = Sighting>) -> Vec<Sighting> {
    let mut devices = std::collections::BTreeMap::new();
    let mut there: Vec<Sighting> = Vec::new();
    for mut piece in pieces {
        let whole = matches!(piece.sort, Sort::Usb { .. });
        if let Some(usb) = &mut piece.usb {
            let (known, was_whole) = devices.entry(usb.path.clone()).or_insert_with(|| (usb.clone(), whole)).clone();
            if whole != was_whole {
                continue;
            }
            *usb = UsbFacts { interface: usb.interface, ..known };
        }
        if there.iter().all(|other| other.key != piece.key) {
            there.push(piece);
        }
    }
    there
}

/// A device that somebody has configured by some of what is said of a piece of hardware.
fn known_by(piece: &Sighting, keys: u8, name: usize) -> Device {
    let usb = piece.usb.as_ref();
    let has = |key: u8| keys & (1 << key) != 0;
    let said = Match {
        serial: usb.and_then(|usb| usb.serial.clone()).filter(|serial| has(0) && !short_serial(serial).is_empty()),
        usb: usb.map(|usb| usb.id).filter(|_| has(1)),
        path: usb.map(|usb| usb.path.clone()).filter(|_| has(2)),
        interface: usb.and_then(|usb| usb.interface).filter(|_| has(3)),
        mac: if let Sort::Wifi(wifi) = &piece.sort { Some(wifi.mac).filter(|_| has(4)) } else { None },
        driver: None,
        name: kernel_name(piece).map(str::to_owned).filter(|_| has(5)),
    };
    configured(&format!("known{name}"), suggested_kind(piece), said)
}

fn is_plain(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Usb | DeviceKind::Hackrf)
}

fn lines(device: &Device) -> String {
    let Device { name, kind, matching, .. } = device;
    format!("[hardware.{name}]\nkind = \"{}\"\nmatch = {}\n", kind.as_str(), match_words(matching))
}

proptest! {
    /// All the lines together, with those that stood there before and what these must say first, pass `check`; each means its own piece
    /// of hardware and no other, and says nothing for the sake of a device that it replaces.
    #[test]
    fn whatever_is_plugged_in_the_advice_passes_and_means_each_piece_alone(
        pieces in proptest::collection::vec(anything(), 0..8),
        known in proptest::collection::vec((anything(), any::<u8>(), any::<bool>()), 0..4),
    ) {
        let there = plugged(pieces);
        let mut devices: Vec<Device> = Vec::new();
        for (at, (piece, keys, is_there)) in known.into_iter().enumerate() {
            let piece = if is_there { there.get(at).cloned().unwrap_or(piece) } else { piece };
            // Of a plain USB device and a port on USB, `check` takes whatever both say for a sign that they are one; one sort at a time is known.
            if devices.iter().any(|other| is_plain(other.kind) != is_plain(suggested_kind(&piece))) {
                continue;
            }
            devices.push(known_by(&piece, keys, at));
            if mainstay_config::parse("known.toml", &devices.iter().map(lines).collect::<String>()).is_err() {
                devices.pop();
            }
        }
        // One that several pieces fit has none of them, as long as they came together.
        let is = |device: &Device, first: bool| {
            let mut fits = there.iter().filter(|piece| matches(device, piece));
            fits.next().filter(|_| first || fits.next().is_none())
        };
        let all: Vec<Configured<'_>> =
            devices.iter().enumerate().map(|(at, device)| Configured { device, is: is(device, at % 2 == 0) }).collect();
        let taken: Vec<&Key> = all.iter().filter_map(|one| Some(&one.is?.key)).collect();
        let present: Vec<&Sighting> = there.iter().collect();
        let others: Vec<&Sighting> = there.iter().filter(|piece| !taken.contains(&&piece.key)).collect();
        let advice = advise(&others, &present, &all);

        let mends: Vec<&Mend> = advice.iter().flat_map(|one| &one.first).collect();
        let after = |one: &Configured<'_>| {
            let mut mends = mends.iter().filter(|mend| mend.device == one.device.name);
            let Some(mend) = mends.next() else { return Some(one.device.clone()) };
            assert!(mends.all(|other| other.matching == mend.matching), "{mends:?}");
            Some(Device { matching: mend.matching.clone()?, ..one.device.clone() })
        };
        let before: Vec<(Option<Device>, &Configured<'_>)> = all.iter().map(|one| (after(one), one)).collect();
        let kept: Vec<&Device> = before.iter().filter_map(|(device, _)| device.as_ref()).collect();
        let text = kept.iter().map(|device| lines(device)).chain(advice.iter().map(ToString::to_string));
        let station = checked(&text.collect::<Vec<_>>());
        prop_assert_eq!(station.len(), kept.len() + others.len());
        for (device, Configured { is, .. }) in &before {
            prop_assert!(is.is_none() || device.as_ref().is_some_and(|device| matches(device, is.unwrap())), "{:?}", device);
        }
        let bare = advise(&others, &present, &[]);
        for ((one, piece), alone) in advice.iter().zip(&others).zip(&bare) {
            let meant: Vec<_> = there.iter().filter(|other| is_meant(one.kind, &one.matching, other)).collect();
            prop_assert_eq!(&meant, &[*piece], "{}", one);
            prop_assert!(one.matching.mac.is_none() || one.matching.name.is_none(), "{}", one);
            let may_be = |said: &Match, device: &Device| could_be_one((one.kind, said), (device.kind, &device.matching));
            let helps = |device: &Device| may_be(&alone.matching, device) && !may_be(&one.matching, device);
            let parts = |said: &Match| match_words(said).matches(" = ").count();
            let is_bare = parts(&one.matching) <= parts(&alone.matching) || mends.iter().any(|mend| mend.matching.is_some());
            prop_assert!(is_bare || devices.iter().chain(&station).any(helps), "needless: {}", one);
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
