//! Scans of made-up sysfs trees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use super::made_up::{HOST, Tree};
use super::sysfs::Sysfs;
use super::{tty, usb};
use crate::sighting::Sort;
use mainstay_config::names::UsbPath;
use proptest::prelude::*;

#[test]
fn devices_are_found_and_hubs_and_interfaces_are_not() {
    let tree = Tree::new();
    let hub = [("idVendor", "1d6b"), ("idProduct", "0002"), ("busnum", "1"), ("devnum", "3"), ("bDeviceClass", "09\n")];
    let inner = tree.usb(HOST, "1-1", &hub);
    tree.usb("devices/pci0000:00", "usb1x", &hub);
    let facts = [
        ("idVendor", "1d50\n"),
        ("idProduct", "6089\n"),
        ("busnum", "1\n"),
        ("devnum", "12\n"),
        ("bDeviceClass", "00\n"),
        ("serial", "000000000000000088c869dc2b5c8d1b\n"),
        ("product", "HackRF One\n"),
    ];
    let device = tree.usb(&inner, "1-1.4", &facts);
    tree.usb(&device, "1-1.4:1.0", &[("bInterfaceClass", "ff\n")]);
    let found = usb::scan(&tree.sysfs());
    assert_eq!(found.len(), 1);
    let facts = found[0].usb.clone().unwrap();
    assert_eq!((found[0].key.0.as_str(), found[0].generation.0.as_str()), ("usb/1-1.4", "usb 1:12"));
    assert_eq!(facts.serial.as_deref(), Some("000000000000000088c869dc2b5c8d1b"));
    assert_eq!(facts.product.as_deref(), Some("HackRF One"));
    assert_eq!(found[0].sort, Sort::Usb { node: "/dev/bus/usb/001/012".into() });
    assert_eq!(usb::numbered(&tree.sysfs(), 1, 12), Some(found[0].clone()));
    assert_eq!(usb::numbered(&tree.sysfs(), 1, 13), None);
}

#[test]
fn a_serial_port_knows_the_usb_device_it_sits_on() {
    let tree = Tree::new();
    let device = tree.receiver();
    tree.tty("ttyACM0", &format!("{device}/1-2:1.0"), "cdc_acm");
    let found = tty::scan(&tree.sysfs());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].key.0.as_str(), found[0].generation.0.as_str()), ("tty/ttyACM0", "usb 1:7 ttyACM0"));
    assert_eq!(found[0].usb.clone().unwrap().path, "1-2".parse::<UsbPath>().unwrap());
    assert_eq!(found[0].sort, Sort::Tty { node: "/dev/ttyACM0".into(), driver: Some("cdc_acm".to_owned()) });
}

#[test]
fn functions_of_one_stick_are_told_apart_as_udevs_rules_do() {
    let tree = Tree::new();
    let device = tree.receiver();
    for (name, number) in [("1-2:1.0", "00\n"), ("1-2:1.2", "0b\n")] {
        tree.write(&format!("{device}/{name}"), &[("bInterfaceNumber", number)]);
    }
    tree.tty("ttyACM0", &format!("{device}/1-2:1.0"), "cdc_acm");
    tree.write(&format!("{device}/1-2:1.2/ttyUSB0"), &[("port_number", "1\n")]);
    tree.tty("ttyUSB0", &format!("{device}/1-2:1.2/ttyUSB0"), "mos7840");
    let interfaces = tty::scan(&tree.sysfs()).into_iter().map(|s| s.usb.unwrap().interface.unwrap().to_string());
    assert_eq!(interfaces.collect::<Vec<_>>(), ["if00", "if0b-port1"]);
    assert_eq!(usb::scan(&tree.sysfs())[0].usb.clone().unwrap().interface, None, "the device as a whole");
}

#[test]
fn consoles_and_uarts_that_are_not_there_are_no_serial_ports() {
    let tree = Tree::new();
    tree.write("class/tty/tty0", &[]);
    tree.write("class/tty/ttyGS0", &[]);
    tree.tty("ttyS1", "devices/platform/serial8250", "serial8250");
    tree.write("class/tty/ttyS1", &[("type", "0\n")]);
    tree.tty("ttyAMA0", "devices/platform/soc/fe201000.serial", "uart-pl011");
    tree.write("class/tty/ttyAMA0", &[("type", "32\n")]);
    let keys: Vec<String> = tty::scan(&tree.sysfs()).into_iter().map(|s| s.key.0).collect();
    assert_eq!(keys, ["tty/ttyAMA0"]);
}

#[test]
fn a_helper_between_port_and_driver_is_passed_over() {
    let tree = Tree::new();
    let port = "devices/pnp0/00:04/00:04:0/00:04:0.0";
    tree.tty("ttyS0", port, "port");
    tree.write("bus/serial-base", &[]);
    for helper in [port, "devices/pnp0/00:04/00:04:0"] {
        tree.link(&format!("{helper}/subsystem"), "bus/serial-base");
    }
    tree.write("drivers/serial", &[]);
    tree.link("devices/pnp0/00:04/driver", "drivers/serial");
    let found = tty::at(&tree.sysfs(), "ttyS0").unwrap();
    assert_eq!(found.sort, Sort::Tty { node: "/dev/ttyS0".into(), driver: Some("serial".to_owned()) });
    assert_eq!(found.generation.0, "tty ttyS0");
}

#[test]
fn without_sysfs_there_is_nothing() {
    let sysfs = Sysfs::at(Path::new("/nonexistent"));
    assert!(usb::scan(&sysfs).is_empty() && tty::scan(&sysfs).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_attribute_is_too_strange(
        texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 6),
    ) {
        let tree = Tree::new();
        let device = tree.receiver();
        let names = ["idVendor", "idProduct", "busnum", "devnum", "serial", "product"];
        for (name, text) in names.iter().zip(&texts) {
            fs::write(tree.root().join(&device).join(name), text).unwrap();
        }
        tree.tty("ttyACM0", &format!("{device}/1-2:1.0"), "cdc_acm");
        let _ = usb::scan(&tree.sysfs());
        prop_assert_eq!(tty::scan(&tree.sysfs()).len(), 1);
    }
}
