//! Serial ports, from sysfs.

use std::path::{Path, PathBuf};

use super::sysfs::{self, Sysfs};
use super::usb;
use crate::sighting::{Generation, Key, Sighting, Sort};

/// `PORT_UNKNOWN` of include/uapi/linux/serial_core.h: a place for a UART where none was found.
const PORT_UNKNOWN: u32 = 0;

/// All serial ports that are really there.
pub(crate) fn scan(sysfs: &Sysfs) -> Vec<Sighting> {
    sysfs::names(&sysfs.path("class/tty")).iter().filter_map(|name| at(sysfs, name)).collect()
}

/// One serial port by the kernel's name for it (`ttyACM0`). `None` for virtual consoles and pseudo terminals, which
/// have no device behind them, for a UART that is not there, and for what is gone.
pub(crate) fn at(sysfs: &Sysfs, name: &str) -> Option<Sighting> {
    let directory = sysfs.path("class/tty").join(name);
    let device = directory.join("device");
    if !device.exists() || sysfs::value(&directory.join("type")) == Some(PORT_UNKNOWN) {
        return None;
    }
    let usb = usb::above(sysfs, &device);
    let generation = match &usb {
        Some(usb) => Generation(format!("{} {name}", usb::generation(usb.bus, usb.address))),
        None => Generation(format!("tty {name}")),
    };
    // Where sysfs writes `!`, the node's name has a `/` (Documentation/driver-api/basics, kobject names).
    let node = PathBuf::from(format!("/dev/{}", name.replace('!', "/")));
    let access = sysfs.access(&node);
    let sort = Sort::Tty { node, driver: driver(sysfs, &device) };
    Some(Sighting { key: key(name), generation, usb, sort, access })
}

/// Where a serial port is known by.
pub(crate) fn key(name: &str) -> Key {
    Key(format!("tty/{name}"))
}

/// The nearest driver that is one: since Linux 6.5 a UART has the helpers `port` and `ctrl` of the bus `serial-base`
/// between itself and its driver.
fn driver(sysfs: &Sysfs, device: &Path) -> Option<String> {
    let real = |directory: &PathBuf| sysfs::link_name(&directory.join("subsystem")).as_deref() != Some("serial-base");
    let mut upwards = sysfs.upwards(device).into_iter().filter(real);
    upwards.next().and_then(|directory| sysfs::link_name(&directory.join("driver")))
}
