//! The inventory, told what the kernel shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, VecDeque};

use mainstay_config::model::{DeviceKind, Match, Station, WifiMode};
use mainstay_hardware::error::{Errno, Error, ErrorKind, SystemError};
use mainstay_hardware::sighting::{
    Access, Generation, HardwareEvent, Key, Link, Rfkill, ScanReason, Sighting, Sort, Source, UsbFacts, WifiFacts,
    Witness,
};
use mainstay_hardware::trouble::Trouble;

use proptest::prelude::*;

mod rivals;

use super::InventoryMachine;
use crate::machine::{Beginning, Machine};
use crate::message::device::DeviceMessage;
use crate::message::inventory::{InventoryMessage, InventorySnapshot};
use crate::message::{ActorId, Described, Effect, Message, Moment, Outcome, Publication, round_trip};
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
            interface: None,
        }),
        sort: Sort::Usb { node: "/dev/bus/usb/001/001".into() },
        access: Access::Unknown,
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
    Sighting {
        key: Key("wifi/phy0".to_owned()),
        generation,
        usb: None,
        sort: Sort::Wifi(facts),
        access: Access::Unknown,
    }
}

fn with_a_radio_matched_by_name() -> Station {
    let mut station = assemble(&[("radio", DeviceKind::Wifi)], Vec::new());
    for device in station.devices.values_mut() {
        device.matching = Match { name: Some("wlan2".to_owned()), ..Match::default() };
    }
    station
}

fn station() -> Station {
    assemble(&[("one", DeviceKind::Hackrf), ("port", DeviceKind::Serial)], Vec::new())
}

/// An inventory that has looked, and found nothing.
fn machine() -> InventoryMachine {
    let mut machine = InventoryMachine::new(&station());
    told(&mut machine, scan(Vec::new()));
    machine
}

fn scan(present: Vec<Sighting>) -> HardwareEvent {
    HardwareEvent::Scanned { present, why: ScanReason::Asked, troubles: BTreeMap::new() }
}

/// What is told again to one that was restarted.
fn answered(machine: &mut InventoryMachine, name: &str) -> Vec<String> {
    words(&machine.tell_present(&name.parse().unwrap()))
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
    let message = InventoryMessage::Event(event);
    round_trip::survives(&message);
    words(&machine.handle(Moment::default(), message))
}

fn words(out: &[Effect<crate::message::supervision::NoTimer>]) -> Vec<String> {
    out.iter().for_each(round_trip::survives);
    let words = |effect: &Effect<crate::message::supervision::NoTimer>| match effect {
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
fn what_changes_what_is_shown_is_not_ignored_and_what_is_known_already_is() {
    let mut machine = machine();
    let mut outcome = |event| {
        let out = machine.handle(Moment::default(), InventoryMessage::Event(event));
        let noted = out.iter().find_map(|effect| if let Effect::Note(noted) = effect { Some(*noted) } else { None });
        noted.unwrap_or_default()
    };
    let trouble = || HardwareEvent::Trouble(Source::RadioNews, Trouble::NoWifi);
    assert_eq!(outcome(trouble()), Outcome::Handled);
    assert_eq!(outcome(trouble()), Outcome::Ignored);
    assert_eq!(outcome(HardwareEvent::Works(Source::RadioNews)), Outcome::Handled);
    assert_eq!(outcome(HardwareEvent::Works(Source::RadioNews)), Outcome::Ignored);
    let other = hackrf("of-nobody", 5, 5);
    assert_eq!(outcome(seen(&other)), Outcome::Handled, "it is listed among what is attached");
    assert_eq!(outcome(seen(&other)), Outcome::Ignored);
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
    assert_eq!(shown(&mut machine, HardwareEvent::Trouble(Source::RadioNews, Trouble::NoWifi)).others.len(), 1);
}

#[test]
fn what_cannot_be_watched_is_shown_with_its_last_reason_until_it_can_be() {
    let mut machine = machine();
    let libusb = (Source::Libusb, Trouble::LibusbStopped(SystemError::Number(Errno(5))));
    let refused = Trouble::Failed(Error::Simulated(ErrorKind::Other));
    shown(&mut machine, HardwareEvent::Trouble(Source::RadioFacts, Trouble::DriverHangs));
    shown(&mut machine, HardwareEvent::Trouble(Source::RadioFacts, refused.clone()));
    let both = shown(&mut machine, HardwareEvent::Trouble(libusb.0, libusb.1.clone()));
    assert_eq!(both.troubles, [libusb.clone(), (Source::RadioFacts, refused)].into());
    assert_eq!(shown(&mut machine, HardwareEvent::Works(Source::RadioFacts)).troubles, [libusb].into());
}

#[test]
fn a_scan_says_anew_what_cannot_be_watched_since_word_of_it_may_have_been_lost() {
    let mut machine = machine();
    let libusb = (Source::Libusb, Trouble::LibusbStopped(SystemError::Number(Errno(5))));
    shown(&mut machine, HardwareEvent::Trouble(Source::RadioFacts, Trouble::DriverHangs));
    let troubles = BTreeMap::from([libusb.clone()]);
    let scan = HardwareEvent::Scanned { present: Vec::new(), why: ScanReason::Start, troubles };
    assert_eq!(shown(&mut machine, scan).troubles, [libusb].into(), "and what is not said works");
}

#[test]
fn whoever_begins_anew_shows_everything_once_more_since_it_may_have_panicked_while_it_did() {
    let mut machine = machine();
    let trouble = || HardwareEvent::Trouble(Source::RadioFacts, Trouble::DriverHangs);
    let before = shown(&mut machine, trouble());
    machine.begin(Moment::default(), Beginning::Again);
    assert_eq!(shown(&mut machine, trouble()), before);
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
    assert_eq!(told(&mut machine, scan(vec![new])), ["one Seen", "port Gone"]);
    assert_eq!(told(&mut machine, scan(Vec::new()))[0], "one Gone");
}

#[test]
fn a_restarted_device_is_told_what_is_there_for_it_but_only_by_one_that_has_looked() {
    let mut machine = InventoryMachine::new(&station());
    let again = |machine: &InventoryMachine, name: &str| -> Vec<&'static str> {
        let again = machine.tell_again(&ActorId::Device(name.parse().unwrap()));
        again.iter().map(|message| message.described().kind()).collect()
    };
    told(&mut machine, seen(&hackrf("serial-of-one", 1, 1)));
    assert!(again(&machine, "one").is_empty() && again(&machine, "port").is_empty());
    told(&mut machine, scan(vec![hackrf("serial-of-one", 1, 1)]));
    assert_eq!((again(&machine, "one"), again(&machine, "port")), (vec!["Seen"], vec!["Gone"]));
    let mut afresh = machine.successor();
    assert!(again(&afresh, "one").is_empty(), "it is there: to say that it is gone would stop its holder");
    assert_eq!(told(&mut afresh, scan(vec![hackrf("serial-of-one", 1, 1)])), ["one Seen", "port Gone"]);
}

/// What happens to a HackRF, and to the inventory that tells of it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Plug,
    Unplug,
    /// The device's actor was restarted and is told again.
    Ask,
    /// The inventory's actor panics and is restarted.
    Panic,
    /// The next thing that the kernel said is heard.
    Hear,
}

proptest! {
    /// Whatever panics and whatever is asked meanwhile, nobody loses a device that is there.
    #[test]
    fn a_device_is_called_gone_only_after_it_has_left(steps in proptest::collection::vec(prop_oneof![
        Just(Step::Plug), Just(Step::Unplug), Just(Step::Ask), Just(Step::Panic), Just(Step::Hear), Just(Step::Hear),
    ], 0..60)) {
        let mut machine = InventoryMachine::new(&station());
        let (mut there, mut arrivals) = (None::<Sighting>, 0);
        // What was said and not heard yet, each with what was there when it was said.
        let mut said = VecDeque::from([(scan(Vec::new()), None)]);
        let mut heard = None::<Sighting>;
        let mut believed = None::<Generation>;
        for step in steps {
            let out = match step {
                Step::Plug if there.is_none() => {
                    arrivals += 1;
                    let one = hackrf("serial-of-one", 1, arrivals);
                    said.push_back((seen(&one), Some(one.clone())));
                    there = Some(one);
                    continue;
                }
                Step::Unplug => {
                    if let Some(one) = there.take() {
                        said.push_back((gone(&one), None));
                    }
                    continue;
                }
                Step::Plug => continue,
                Step::Ask => {
                    let again = machine.tell_again(&ActorId::Device("one".parse().unwrap()));
                    again.into_iter().map(Effect::Tell).collect()
                }
                Step::Panic => {
                    machine = machine.successor();
                    machine.begin(Moment::default(), Beginning::Again);
                    said.push_back((scan(there.iter().cloned().collect()), there.clone()));
                    continue;
                }
                Step::Hear => {
                    let Some((event, truth)) = said.pop_front() else { continue };
                    heard = truth;
                    machine.handle(Moment::default(), InventoryMessage::Event(event))
                }
            };
            for effect in out {
                let Effect::Tell(Message::Device(name, message)) = effect else { continue };
                match message {
                    DeviceMessage::Seen(sighting) => believed = Some(sighting.generation),
                    DeviceMessage::Gone { .. } if name.as_str() == "one" => {
                        let lost = believed.take();
                        let left = lost.is_none() || heard.as_ref().map(|one| &one.generation) != lost.as_ref();
                        prop_assert!(left, "{:?} is there", heard);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn an_arrival_stays_what_it_was_found_to_be_until_its_device_says_otherwise() {
    let station = with_a_radio_matched_by_name();
    let mut machine = InventoryMachine::new(&station);
    told(&mut machine, scan(Vec::new()));
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
    told(&mut machine, scan(Vec::new()));
    told(&mut machine, seen(&radio("wlan2", 1)));
    told(&mut machine, seen(&radio("wlan2mon", 1)));
    let again = || machine.successor();
    assert_eq!(told(&mut again(), scan(vec![radio("wlan2mon", 1)])), ["radio Seen"]);
    assert_eq!(told(&mut again(), scan(vec![radio("wlan2mon", 2)])), ["radio Gone", "radio Gone"]);
    assert_eq!(told(&mut again(), scan(Vec::new())), ["radio Gone"]);
    let mut twice = again().successor();
    assert_eq!(told(&mut twice, scan(vec![radio("wlan2mon", 1)])), ["radio Seen"], "a panic before the scan");
}
