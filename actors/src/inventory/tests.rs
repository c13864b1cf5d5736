//! The inventory, told what the kernel shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_config::model::{DeviceKind, Match, Station, WifiMode};
use mainstay_hardware::sighting::{
    Generation, HardwareEvent, Key, Link, Rfkill, ScanReason, Sighting, Sort, Source, UsbFacts, WifiFacts, Witness,
};

use super::{InventoryMachine, InventoryMessage, InventorySnapshot};
use crate::device::DeviceMessage;
use crate::machine::{Described, Effect, Machine, Message, Moment, Publication, round_trip};
use crate::world::stations::assemble;

/// A HackRF with this serial number in this socket.
fn hackrf(serial: &str, socket: u8, address: u8) -> Sighting {
    Sighting {
        key: Key(format!("usb/1-{socket}")),
        generation: Generation(format!("usb 1:{address}")),
        usb: Some(UsbFacts {
            id: "1d50:6089".parse().unwrap(),
            path: format!("1-{socket}").parse().unwrap(),
            bus: 1,
            address,
            serial: Some(serial.to_owned()),
            product: None,
        }),
        sort: Sort::Usb { node: "/dev/bus/usb/001/001".into() },
    }
}

/// A serial port on the same USB device.
fn port_on(usb: &Sighting) -> Sighting {
    let sort = Sort::Tty { node: "/dev/ttyACM0".into(), driver: Some("cdc_acm".to_owned()) };
    Sighting { key: Key("tty/ttyACM0".to_owned()), sort, ..usb.clone() }
}

/// A radio of this name.
fn radio(interface: &str, arrival: u32) -> Sighting {
    let facts = WifiFacts {
        wiphy: 0,
        ifindex: 3,
        interface: interface.to_owned(),
        mac: "02:00:00:00:00:00".parse().unwrap(),
        driver: None,
        mode: WifiMode::Managed,
        link: Link::Up,
        supported: Vec::new(),
        rfkill: Rfkill::Unblocked,
        others: Vec::new(),
        manager: None,
    };
    let generation = Generation(format!("wiphy {arrival}"));
    Sighting { key: Key("wifi/phy0".to_owned()), generation, usb: None, sort: Sort::Wifi(facts) }
}

fn with_a_radio_matched_by_name() -> Station {
    let mut station = assemble(&[("radio", DeviceKind::Wifi)], Vec::new());
    for device in station.devices.values_mut() {
        device.matching = Match { name: Some("wlan2".to_owned()), ..Match::default() };
    }
    station
}

fn machine() -> InventoryMachine {
    InventoryMachine::new(&assemble(&[("one", DeviceKind::Hackrf), ("port", DeviceKind::Serial)], Vec::new()))
}

fn seen(sighting: &Sighting) -> HardwareEvent {
    HardwareEvent::Seen(sighting.clone())
}

fn gone(sighting: &Sighting) -> HardwareEvent {
    let (key, generation) = (sighting.key.clone(), Some(sighting.generation.clone()));
    HardwareEvent::Gone { key, generation, witness: Witness::Uevent }
}

/// What devices are told: `one Seen`.
fn told(machine: &mut InventoryMachine, event: HardwareEvent) -> Vec<String> {
    let out = machine.handle(Moment::default(), InventoryMessage::Event(event));
    out.iter().for_each(round_trip::survives);
    let words = |effect: &Effect<super::InventoryTimer>| match effect {
        Effect::Tell(Message::Device(name, message)) => Some(format!("{name} {}", message.kind())),
        _ => None,
    };
    out.iter().filter_map(words).collect()
}

/// What is shown after an event that changes it.
fn shown(machine: &mut InventoryMachine, event: HardwareEvent) -> InventorySnapshot {
    let out = machine.handle(Moment::default(), InventoryMessage::Event(event));
    out.iter().for_each(round_trip::survives);
    let Some(Effect::Publish(Publication::Inventory(shown))) = out.last() else { panic!("{out:?}") };
    shown.clone()
}

#[test]
fn an_arrival_said_twice_is_told_twice_for_udev_may_have_opened_it_and_a_departure_once() {
    let (mut machine, one) = (machine(), hackrf("serial-of-one", 1, 1));
    assert_eq!(told(&mut machine, seen(&one)), ["one Seen"]);
    assert_eq!(told(&mut machine, seen(&one)), ["one Seen"]);
    assert_eq!(told(&mut machine, gone(&one)), ["one Gone"]);
    assert!(told(&mut machine, gone(&one)).is_empty());
}

#[test]
fn a_late_witness_of_an_earlier_departure_is_not_believed() {
    let mut machine = machine();
    let (first, second) = (hackrf("serial-of-one", 1, 1), hackrf("serial-of-one", 1, 2));
    told(&mut machine, seen(&first));
    told(&mut machine, gone(&first));
    told(&mut machine, seen(&second));
    assert!(told(&mut machine, gone(&first)).is_empty());
}

#[test]
fn a_device_is_known_again_in_another_socket() {
    let mut machine = machine();
    let (here, there) = (hackrf("serial-of-one", 1, 1), hackrf("serial-of-one", 4, 2));
    told(&mut machine, seen(&here));
    told(&mut machine, gone(&here));
    assert_eq!(told(&mut machine, seen(&there)), ["one Seen"]);
}

#[test]
fn what_is_not_in_the_configuration_is_listed_and_nobody_is_told() {
    let mut machine = machine();
    let stranger = hackrf("stranger", 1, 1);
    assert!(told(&mut machine, seen(&stranger)).is_empty());
    assert_eq!(shown(&mut machine, HardwareEvent::Trouble(Source::RadioNews, "no nl80211".into())).others.len(), 1);
}

#[test]
fn what_cannot_be_watched_is_shown_with_its_last_reason_until_it_can_be() {
    let mut machine = machine();
    let trouble = |source, words: &str| HardwareEvent::Trouble(source, words.to_owned());
    shown(&mut machine, trouble(Source::RadioFacts, "a driver does not answer"));
    shown(&mut machine, trouble(Source::RadioFacts, "a driver refuses"));
    let both = shown(&mut machine, trouble(Source::Libusb, "no libusb"));
    assert_eq!(both.troubles, ["no libusb", "a driver refuses"]);
    assert_eq!(shown(&mut machine, HardwareEvent::Works(Source::RadioFacts)).troubles, ["no libusb"]);
}

#[test]
fn what_sits_on_a_usb_device_leaves_with_it() {
    let mut machine = machine();
    let usb = hackrf("serial-of-port", 2, 5);
    told(&mut machine, seen(&usb));
    assert_eq!(told(&mut machine, seen(&port_on(&usb))), ["port Seen"]);
    assert_eq!(told(&mut machine, gone(&usb)), ["port Gone"]);
}

#[test]
fn a_lost_message_is_made_good_by_a_scan() {
    let mut machine = machine();
    let (old, new) = (hackrf("serial-of-one", 1, 1), hackrf("serial-of-one", 1, 2));
    told(&mut machine, seen(&old));
    let scan = HardwareEvent::Scanned { present: vec![new], why: ScanReason::LostMessages };
    assert_eq!(told(&mut machine, scan), ["one Seen", "port Gone"]);
    let scan = HardwareEvent::Scanned { present: Vec::new(), why: ScanReason::LostMessages };
    assert_eq!(told(&mut machine, scan)[0], "one Gone");
}

#[test]
fn a_restarted_device_is_told_what_is_there_for_it() {
    let mut machine = machine();
    told(&mut machine, seen(&hackrf("serial-of-one", 1, 1)));
    for (name, kind) in [("one", "Seen"), ("port", "Gone")] {
        let out = machine.handle(Moment::default(), InventoryMessage::Inquire(name.parse().unwrap()));
        let Some(Effect::Tell(Message::Device(_, message))) = out.first() else { panic!("{out:?}") };
        assert_eq!(DeviceMessage::kind(message), kind);
    }
}

#[test]
fn an_arrival_stays_what_it_was_found_to_be_until_its_device_says_otherwise() {
    let station = with_a_radio_matched_by_name();
    let mut machine = InventoryMachine::new(&station);
    let disclaimed =
        |arrival: u32| InventoryMessage::Disclaimed("radio".parse().unwrap(), Generation(format!("wiphy {arrival}")));
    let kinds = |effects: Vec<Effect<_>>| -> Vec<&str> {
        let kind = |effect: &Effect<_>| match effect {
            Effect::Tell(Message::Device(_, message)) => Some(DeviceMessage::kind(message)),
            _ => None,
        };
        effects.iter().filter_map(kind).collect()
    };
    assert_eq!(told(&mut machine, seen(&radio("wlan2", 1))), ["radio Seen"]);
    assert_eq!(told(&mut machine, seen(&radio("wlan2mon", 1))), ["radio Seen"]);
    assert_eq!(kinds(machine.handle(Moment::default(), disclaimed(1))), ["Gone"]);
    assert_eq!(told(&mut machine, seen(&radio("wlan2", 1))), ["radio Seen"]);
    assert!(kinds(machine.handle(Moment::default(), disclaimed(1))).is_empty(), "it has its name back");
    assert_eq!(told(&mut machine, seen(&radio("wlan2mon", 2))), ["radio Gone"], "another arrival is another radio");
}

#[test]
fn an_arrival_that_was_renamed_is_still_the_same_after_a_panic_and_what_left_meanwhile_is_gone() {
    let station = with_a_radio_matched_by_name();
    let mut machine = InventoryMachine::new(&station);
    told(&mut machine, seen(&radio("wlan2", 1)));
    told(&mut machine, seen(&radio("wlan2mon", 1)));
    let scan = |present| HardwareEvent::Scanned { present, why: ScanReason::Asked };
    let again = || InventoryMachine::new(&station).remembering(machine.memo());
    assert_eq!(told(&mut again(), scan(vec![radio("wlan2mon", 1)])), ["radio Seen"]);
    assert_eq!(told(&mut again(), scan(vec![radio("wlan2mon", 2)])), ["radio Gone", "radio Gone"]);
    assert_eq!(told(&mut again(), scan(Vec::new())), ["radio Gone"]);
    let mut twice = InventoryMachine::new(&station).remembering(again().memo());
    assert_eq!(told(&mut twice, scan(vec![radio("wlan2mon", 1)])), ["radio Seen"], "a panic before the scan");
}
