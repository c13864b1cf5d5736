#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::mpsc;
use std::time::Duration;

use mainstay_config::model::{DeviceKind, Takeover, WifiMode};

use super::*;
use crate::error::ErrorKind;
use crate::sighting::{Key, Link, Sort, Witness};

fn watched(bus: &SimulatedBus) -> (Box<dyn Watch>, mpsc::Receiver<HardwareEvent>) {
    let (sender, events) = mpsc::channel();
    let watch = bus.watch(Box::new(move |event| drop(sender.send(event)))).unwrap();
    (watch, events)
}

fn first(bus: &SimulatedBus, name: &str) -> Sighting {
    bus.list().into_iter().find(|l| l.name == name).unwrap().sightings.first().cloned().unwrap()
}

fn last(bus: &SimulatedBus, name: &str) -> Sighting {
    bus.list().into_iter().find(|l| l.name == name).unwrap().sightings.last().cloned().unwrap()
}

fn radio(bus: &SimulatedBus, name: &str) -> crate::sighting::WifiFacts {
    match first(bus, name).sort {
        Sort::Wifi(wifi) => wifi,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_watch_begins_with_everything_that_is_there() {
    let bus = SimulatedBus::demo();
    let (_watch, events) = watched(&bus);
    let HardwareEvent::Scanned { present, why: ScanReason::Start, .. } = events.try_recv().unwrap() else { panic!() };
    let keys: Vec<String> = present.iter().map(|s| s.key.to_string()).collect();
    assert_eq!(keys, ["usb/1-2", "tty/ttyACM0", "usb/1-1", "wifi/phy1", "wifi/phy2"]);
    assert!(events.try_recv().is_err());
}

#[test]
fn the_serial_port_of_a_receiver_goes_before_the_receiver() {
    let bus = SimulatedBus::demo();
    let (_watch, events) = watched(&bus);
    bus.unplug("gps").unwrap();
    let gone: Vec<Key> = events
        .try_iter()
        .filter_map(|e| match e {
            HardwareEvent::Gone { key, witness: Witness::Simulation, .. } => Some(key),
            _ => None,
        })
        .collect();
    assert_eq!(gone, [Key("tty/ttyACM0".to_owned()), Key("usb/1-2".to_owned())]);
}

#[test]
fn every_arrival_is_another_generation_also_in_another_socket() {
    let bus = SimulatedBus::demo();
    let before = first(&bus, "hackrf");
    bus.unplug("hackrf").unwrap();
    bus.plug("hackrf", Some("1-4.2".parse().unwrap())).unwrap();
    let after = first(&bus, "hackrf");
    assert_ne!(before.generation, after.generation);
    assert_eq!(after.key.0, "usb/1-4.2");
    bus.unplug("hackrf").unwrap();
    bus.plug("hackrf", None).unwrap();
    assert_eq!(first(&bus, "hackrf").key, after.key, "it stays in the socket it was in last");
}

#[test]
fn an_address_is_not_given_to_two_devices_after_the_numbers_wrap() {
    let bus = SimulatedBus::demo();
    for _ in 0..300 {
        bus.unplug("hackrf").unwrap();
        bus.plug("hackrf", None).unwrap();
        assert_ne!(first(&bus, "hackrf").usb.unwrap().address, first(&bus, "gps").usb.unwrap().address);
    }
}

#[test]
fn a_serial_port_may_come_back_with_another_number() {
    let bus = SimulatedBus::demo();
    bus.unplug("gps").unwrap();
    bus.plug_at("gps", Place { path: None, node: Some("ttyACM1".to_owned()) }).unwrap();
    assert_eq!(last(&bus, "gps").key.0, "tty/ttyACM1");
}

#[test]
fn what_cannot_be_plugged_says_why() {
    let bus = SimulatedBus::demo();
    assert_eq!(bus.plug("hackrf", None).unwrap_err().kind(), ErrorKind::Busy);
    assert!(bus.plug("camera", None).unwrap_err().to_string().contains("there are gps, hackrf, uplink, wlan2"));
    bus.unplug("hackrf").unwrap();
    assert_eq!(bus.unplug("hackrf").unwrap_err().kind(), ErrorKind::NotFound);
    let taken = bus.plug("hackrf", Some("1-2".parse().unwrap())).unwrap_err();
    assert!(taken.to_string().contains("taken by gps"), "{taken}");
    bus.unplug("uplink").unwrap();
    assert_eq!(bus.plug("uplink", Some("1-3".parse().unwrap())).unwrap_err().kind(), ErrorKind::NotSupported);
}

#[test]
fn a_radio_is_brought_back_as_it_was() {
    let bus = SimulatedBus::demo();
    let before = radio(&bus, "wlan2");
    let (_watch, events) = watched(&bus);
    let baseline = bus.wifi_baseline(before.ifindex).unwrap();
    bus.wifi_set_mode(before.ifindex, WifiMode::Monitor, Takeover::Refuse).unwrap();
    bus.add_interface("wlan2", "wlan2mon").unwrap();
    let leased = radio(&bus, "wlan2");
    assert_eq!(
        (leased.mode, leased.link, leased.others.as_slice()),
        (WifiMode::Monitor, Link::Up, &["wlan2mon".to_owned()][..])
    );
    bus.wifi_restore(&baseline).unwrap();
    bus.wifi_restore(&baseline).unwrap();
    assert_eq!(radio(&bus, "wlan2"), before);
    assert_eq!(events.try_iter().filter(|e| matches!(e, HardwareEvent::Seen(_))).count(), 4);
}

#[test]
fn a_radio_that_left_cannot_be_set() {
    let bus = SimulatedBus::demo();
    let index = radio(&bus, "uplink").ifindex;
    bus.unplug("uplink").unwrap();
    let error = bus.wifi_set_mode(index, WifiMode::Monitor, Takeover::Refuse).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    bus.plug("uplink", None).unwrap();
    assert_ne!(radio(&bus, "uplink").ifindex, index);
}

#[test]
fn a_radio_is_not_put_into_a_mode_that_it_cannot_do() {
    let mut devices = demo::devices();
    for device in &mut devices {
        if let Body::Wifi(radio) = &mut device.body {
            radio.supported = vec![WifiMode::Managed, WifiMode::Ap];
        }
    }
    let bus = SimulatedBus::new(devices);
    let before = radio(&bus, "uplink");
    let error = bus.wifi_set_mode(before.ifindex, WifiMode::Monitor, Takeover::Refuse).unwrap_err();
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (ErrorKind::NotSupported, "wlan1 can do managed and ap, not monitor")
    );
    assert_eq!(radio(&bus, "uplink"), before);
}

#[test]
fn probing_tells_what_was_imagined() {
    let bus = SimulatedBus::demo();
    let within = Duration::from_secs(1);
    let found = bus.probe(&first(&bus, "hackrf"), DeviceKind::Hackrf, Depth::Full, within).unwrap();
    let words = crate::matching::identity(&first(&bus, "hackrf"), Some(&found));
    assert_eq!(words, "HackRF One r9, serial 88c869dc2b5c8d1b, firmware 2024.02.1, USB 1-1");
    let found = bus.probe(&last(&bus, "gps"), DeviceKind::Gps, Depth::Full, within).unwrap();
    let words = crate::matching::identity(&last(&bus, "gps"), Some(&found));
    assert_eq!(words, "u-blox GPS receiver, /dev/ttyACM0, 9600 baud NMEA, 3D fix, USB 1-2");
}

#[test]
fn a_sighting_of_an_earlier_arrival_is_not_found() {
    let bus = SimulatedBus::demo();
    let old = first(&bus, "hackrf");
    bus.unplug("hackrf").unwrap();
    bus.plug("hackrf", None).unwrap();
    assert_eq!(bus.accessible(&old).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn permissions_come_late_after_each_arrival() {
    let bus = SimulatedBus::demo();
    bus.settle_after("hackrf", 2);
    for _ in 0..2 {
        let sighting = first(&bus, "hackrf");
        assert!(bus.accessible(&sighting).is_err());
        assert!(bus.accessible(&sighting).is_err());
        assert!(bus.accessible(&sighting).is_ok());
        bus.unplug("hackrf").unwrap();
        bus.plug("hackrf", None).unwrap();
    }
}

#[test]
fn a_hanging_driver_holds_its_caller_and_nobody_else() {
    let bus = SimulatedBus::demo();
    bus.hang("hackrf");
    let (done, answer) = mpsc::channel();
    let caller = std::thread::spawn({
        let bus = bus.clone();
        let sighting = first(&bus, "hackrf");
        move || done.send(bus.probe(&sighting, DeviceKind::Hackrf, Depth::Full, Duration::from_secs(1)))
    });
    bus.unplug("gps").unwrap();
    assert!(answer.try_recv().is_err());
    bus.release("hackrf");
    assert!(answer.recv().unwrap().is_ok());
    caller.join().unwrap().unwrap();
}

#[test]
fn faults_that_were_asked_for_happen_until_they_are_taken_back() {
    let bus = SimulatedBus::demo();
    let fault = Error::Simulated(ErrorKind::Other);
    bus.fail_probe("hackrf", Some(fault.clone()));
    let probe = || bus.probe(&first(&bus, "hackrf"), DeviceKind::Hackrf, Depth::Identity, Duration::from_secs(1));
    assert_eq!(probe().unwrap_err(), fault);
    bus.fail_probe("hackrf", None);
    assert!(probe().is_ok());
    let index = radio(&bus, "uplink").ifindex;
    bus.fail_mode("uplink", Some(fault.clone()));
    assert_eq!(bus.wifi_set_mode(index, WifiMode::Monitor, Takeover::Allow).unwrap_err(), fault);
}

#[test]
fn a_sink_may_call_the_bus() {
    let bus = SimulatedBus::demo();
    let (sender, events) = mpsc::channel();
    let again = bus.clone();
    let _watch = bus
        .watch(Box::new(move |event| {
            if matches!(&event, HardwareEvent::Gone { key, .. } if key.0 == "usb/1-1") {
                again.plug("hackrf", None).unwrap();
            }
            sender.send(event).unwrap();
        }))
        .unwrap();
    bus.unplug("hackrf").unwrap();
    let last = events.try_iter().last().unwrap();
    assert!(matches!(last, HardwareEvent::Seen(s) if s.key.0 == "usb/1-1"));
}

#[test]
fn a_dropped_watch_hears_no_more() {
    let bus = SimulatedBus::demo();
    let (watch, events) = watched(&bus);
    watch.rescan();
    drop(watch);
    bus.unplug("hackrf").unwrap();
    assert_eq!(events.try_iter().count(), 2);
}
