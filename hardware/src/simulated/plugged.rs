//! One arrival of a simulated device, and what it shows.

use std::path::PathBuf;

use mainstay_config::names::{UsbId, UsbPath};

use super::device::Body;
use super::radio::LiveRadio;
use crate::bus::Wakefulness;
use crate::sighting::{Access, Generation, Key, Sighting, Sort, UsbFacts};

/// Everything is on one bus.
const BUS: u8 = 1;

/// One arrival.
pub(super) enum Plugged {
    /// On USB, with its device number.
    Usb {
        /// Device number on the bus.
        address: u8,
        /// Whether it is kept from being suspended.
        wakefulness: Wakefulness,
    },
    /// A radio.
    Radio(LiveRadio),
}

impl Plugged {
    pub(super) fn new(body: &Body, address: u8, wiphy: u32, ifindex: u32) -> Self {
        match body {
            Body::Hackrf(_) | Body::Gps(_) => Self::Usb { address, wakefulness: Wakefulness::CouldSleep },
            Body::Wifi(radio) => Self::Radio(LiveRadio::new(radio, wiphy, ifindex)),
        }
    }

    /// The device first, then what sits on it.
    pub(super) fn sightings(&self, body: &Body, path: Option<&UsbPath>, node: Option<&str>) -> Vec<Sighting> {
        match (self, body, path) {
            (Self::Radio(live), Body::Wifi(radio), _) => vec![live.sighting(radio)],
            (Self::Usb { address, .. }, Body::Hackrf(hackrf), Some(path)) => {
                vec![usb_sighting(facts(hackrf.id, path, *address, &hackrf.serial, "HackRF One"))]
            }
            (Self::Usb { address, .. }, Body::Gps(gps), Some(path)) => {
                let facts = facts(gps.id, path, *address, &gps.serial, &gps.product);
                let tty = node.map(|node| tty_sighting(facts.clone(), node, &gps.driver));
                std::iter::once(usb_sighting(facts)).chain(tty).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn facts(id: UsbId, path: &UsbPath, address: u8, serial: &str, product: &str) -> UsbFacts {
    let (serial, product) = (Some(serial.to_owned()), Some(product.to_owned()));
    UsbFacts { id, path: path.clone(), bus: BUS, address, serial, product, interface: None }
}

fn usb_sighting(facts: UsbFacts) -> Sighting {
    Sighting {
        key: Key(format!("usb/{}", facts.path)),
        generation: Generation(format!("usb {}:{}", facts.bus, facts.address)),
        sort: Sort::Usb { node: PathBuf::from(format!("/dev/bus/usb/{:03}/{:03}", facts.bus, facts.address)) },
        usb: Some(facts),
        access: Access::Unknown,
    }
}

fn tty_sighting(facts: UsbFacts, node: &str, driver: &str) -> Sighting {
    Sighting {
        key: Key(format!("tty/{node}")),
        generation: Generation(format!("usb {}:{} {node}", facts.bus, facts.address)),
        sort: Sort::Tty { node: PathBuf::from(format!("/dev/{node}")), driver: Some(driver.to_owned()) },
        usb: Some(facts),
        access: Access::Unknown,
    }
}
