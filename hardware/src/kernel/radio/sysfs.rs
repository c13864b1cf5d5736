//! Radios in sysfs: permanent address, driver, rfkill.

use std::path::{Path, PathBuf};

use super::facts::Phy;
use crate::error::{Attempt, Error};
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

/// The folder of a radio.
fn directory(sysfs: &Sysfs, wiphy: u32) -> Option<PathBuf> {
    let class = sysfs.path("class/ieee80211");
    let of_wiphy = |name: &String| sysfs::value(&class.join(name).join("index")) == Some(wiphy);
    sysfs::names(&class).into_iter().find(of_wiphy).map(|name| class.join(name))
}

/// Whether rfkill blocks a radio; one that is gone is not blocked.
pub(crate) fn blocked(sysfs: &Sysfs, wiphy: u32) -> Rfkill {
    directory(sysfs, wiphy).map_or(Rfkill::Unblocked, |directory| rfkill(&directory))
}

/// Lifts a soft block.
///
/// # Errors
/// `Refused` when a switch blocks the radio: only a hand can change that. What the kernel says when it does not let
/// the soft block be lifted.
pub(crate) fn unblock(sysfs: &Sysfs, wiphy: u32, interface: &str) -> Result<(), Error> {
    match blocked(sysfs, wiphy) {
        Rfkill::Unblocked => Ok(()),
        Rfkill::Hard => Err(Error::Switched(interface.to_owned())),
        Rfkill::Soft => write(sysfs, wiphy, "0", &Attempt::Unblock(interface.to_owned())),
    }
}

/// Puts a soft block back where it is not set. Where it is, nothing is written: few users may.
///
/// # Errors
/// What the kernel says when it does not let it be set.
pub(crate) fn block(sysfs: &Sysfs, wiphy: u32, interface: &str) -> Result<(), Error> {
    write(sysfs, wiphy, "1", &Attempt::Block(interface.to_owned()))
}

fn write(sysfs: &Sysfs, wiphy: u32, soft: &str, tried: &Attempt) -> Result<(), Error> {
    let Some(directory) = directory(sysfs, wiphy) else { return Ok(()) };
    let is_other = |switch: &PathBuf| sysfs::text(&switch.join("soft")).as_deref() != Some(soft);
    switches(&directory)
        .filter(is_other)
        .try_for_each(|switch| std::fs::write(switch.join("soft"), soft).map_err(|error| tried.clone().failed(error)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_soft_block_is_lifted_and_put_back_and_a_switch_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let phy = root.path().join("class/ieee80211/phy2");
        let switch = phy.join("rfkill4");
        std::fs::create_dir_all(&switch).unwrap();
        let put = |file: &str, text: &str| std::fs::write(switch.join(file), text).unwrap();
        std::fs::write(phy.join("index"), "2\n").unwrap();
        put("soft", "1\n");
        put("hard", "0\n");
        let sysfs = Sysfs::at(root.path());
        assert_eq!(blocked(&sysfs, 2), Rfkill::Soft);
        unblock(&sysfs, 2, "wlan2").unwrap();
        assert_eq!(blocked(&sysfs, 2), Rfkill::Unblocked);
        block(&sysfs, 2, "wlan2").unwrap();
        assert_eq!(blocked(&sysfs, 2), Rfkill::Soft);
        put("soft", "1\n");
        block(&sysfs, 2, "wlan2").unwrap();
        assert_eq!(std::fs::read_to_string(switch.join("soft")).unwrap(), "1\n", "a block that is set is not written");
        put("hard", "1\n");
        assert_eq!(unblock(&sysfs, 2, "wlan2"), Err(Error::Switched("wlan2".to_owned())));
        assert_eq!(blocked(&sysfs, 3), Rfkill::Unblocked, "a radio that is gone");
    }
}
