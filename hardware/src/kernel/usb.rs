//! USB devices, from sysfs. No device is ever opened for this: opening one may disturb who uses it.

use std::path::{Path, PathBuf};

use mainstay_config::names::{UsbId, UsbInterface, UsbPath};

use super::sysfs::{self, Sysfs};
use crate::sighting::{Generation, Key, Sighting, Sort, UsbFacts};

/// `bDeviceClass` of a hub (USB 2.0, 11.23.1).
const CLASS_HUB: u16 = 0x09;

/// All USB devices but hubs.
pub(crate) fn scan(sysfs: &Sysfs) -> Vec<Sighting> {
    sysfs::names(&sysfs.path("bus/usb/devices")).iter().filter_map(|name| at(sysfs, name)).collect()
}

/// The device in one socket, by the kernel's name for it (`1-1.4`). `None` for a hub, an interface (`1-1.4:1.0`), and
/// what is not there (any more).
pub(crate) fn at(sysfs: &Sysfs, name: &str) -> Option<Sighting> {
    let path: UsbPath = name.parse().ok()?;
    let directory = sysfs.path("bus/usb/devices").join(name);
    if sysfs::hex(&directory.join("bDeviceClass")) == Some(CLASS_HUB) {
        return None;
    }
    let usb = facts(&directory, path)?;
    let node = PathBuf::from(format!("/dev/bus/usb/{:03}/{:03}", usb.bus, usb.address));
    Some(Sighting {
        key: key(name),
        generation: generation(usb.bus, usb.address),
        usb: Some(usb),
        access: sysfs.access(&node),
        sort: Sort::Usb { node },
    })
}

/// The device with this number, wherever it is plugged in.
pub(crate) fn numbered(sysfs: &Sysfs, bus: u8, address: u8) -> Option<Sighting> {
    let devices = sysfs.path("bus/usb/devices");
    let number = |name: &str, attribute| sysfs::value::<u8>(&devices.join(name).join(attribute));
    let is = |name: &String| number(name, "busnum") == Some(bus) && number(name, "devnum") == Some(address);
    sysfs::names(&devices).into_iter().filter(is).find_map(|name| at(sysfs, &name))
}

/// The USB device that something sits on, if it does, and on which of its interfaces.
pub(crate) fn above(sysfs: &Sysfs, device: &Path) -> Option<UsbFacts> {
    let upwards = sysfs.upwards(device);
    let (below, mut usb) = upwards.iter().enumerate().find_map(|(below, directory)| {
        let path = directory.file_name()?.to_str()?.parse().ok()?;
        Some((below, facts(directory, path)?))
    })?;
    usb.interface = upwards.get(..below).and_then(interface);
    Some(usb)
}

/// The attributes by which udev's rules tell functions apart: that of the interface, and that of a port on it.
fn interface(directories: &[PathBuf]) -> Option<UsbInterface> {
    let number = directories.iter().find_map(|directory| sysfs::hex(&directory.join("bInterfaceNumber")))?;
    let port = directories.iter().find_map(|directory| sysfs::value(&directory.join("port_number")));
    Some(UsbInterface { number: u8::try_from(number).ok()?, port })
}

/// Where a USB device is known by.
pub(crate) fn key(name: &str) -> Key {
    Key(format!("usb/{name}"))
}

/// Which arrival of a USB device.
pub(crate) fn generation(bus: u8, address: u8) -> Generation {
    Generation(format!("usb {bus}:{address}"))
}

fn facts(directory: &Path, path: UsbPath) -> Option<UsbFacts> {
    Some(UsbFacts {
        id: UsbId {
            vendor: sysfs::hex(&directory.join("idVendor"))?,
            product: sysfs::hex(&directory.join("idProduct"))?,
        },
        path,
        bus: sysfs::value(&directory.join("busnum"))?,
        address: sysfs::value(&directory.join("devnum"))?,
        serial: sysfs::text(&directory.join("serial")),
        product: sysfs::text(&directory.join("product")),
        interface: None,
    })
}
