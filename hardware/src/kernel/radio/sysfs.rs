//! Radios in sysfs: permanent address, driver, rfkill.

use std::path::Path;

use super::facts::Phy;
use crate::error::{Error, ErrorKind};
use crate::kernel::sysfs::{self, Sysfs};
use crate::kernel::usb;
use crate::sighting::Rfkill;

/// All radios, with or without interfaces.
pub(crate) fn phys(sysfs: &Sysfs) -> Vec<Phy> {
    let class = sysfs.path("class/ieee80211");
    sysfs::names(&class).iter().filter_map(|name| phy(sysfs, &class.join(name))).collect()
}

fn phy(sysfs: &Sysfs, directory: &Path) -> Option<Phy> {
    let device = directory.join("device");
    Some(Phy {
        wiphy: sysfs::value(&directory.join("index"))?,
        mac: sysfs::value(&directory.join("macaddress"))?,
        driver: sysfs::link_name(&device.join("driver")),
        rfkill: rfkill(directory),
        usb: usb::above(sysfs, &device),
    })
}

fn switches(directory: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let names = sysfs::names(directory).into_iter().filter(|name| name.starts_with("rfkill"));
    names.map(move |name| directory.join(name)).collect::<Vec<_>>().into_iter()
}

fn rfkill(directory: &Path) -> Rfkill {
    let on = |switch: &Path, kind: &str| sysfs::value::<u8>(&switch.join(kind)) == Some(1);
    if switches(directory).any(|switch| on(&switch, "hard")) {
        Rfkill::Hard
    } else if switches(directory).any(|switch| on(&switch, "soft")) {
        Rfkill::Soft
    } else {
        Rfkill::Unblocked
    }
}

/// Lifts a soft block.
///
/// # Errors
/// `Refused` when a switch blocks the radio: only a hand can change that. What the kernel says when it does not let
/// the soft block be lifted.
pub(crate) fn unblock(sysfs: &Sysfs, wiphy: u32, interface: &str) -> Result<(), Error> {
    let class = sysfs.path("class/ieee80211");
    let of_wiphy = |name: &String| sysfs::value(&class.join(name).join("index")) == Some(wiphy);
    let Some(name) = sysfs::names(&class).into_iter().find(of_wiphy) else { return Ok(()) };
    let directory = class.join(name);
    match rfkill(&directory) {
        Rfkill::Unblocked => Ok(()),
        Rfkill::Hard => {
            let message = format!("{interface} is blocked by a switch (rfkill hard); move the switch on the device");
            Err(Error::new(ErrorKind::Refused, message))
        }
        Rfkill::Soft => switches(&directory).try_for_each(|switch| {
            let tried = format!("lifting the rfkill block of {interface}");
            std::fs::write(switch.join("soft"), "0").map_err(|e| Error::io(&tried, &e))
        }),
    }
}
