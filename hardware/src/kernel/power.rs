//! Power: what the board says of its supply, and keeping USB devices awake.

use std::fs;
use std::path::PathBuf;

use crate::bus::{Supply, Wakefulness};
use crate::error::{Attempt, Error, ErrorKind};
use crate::sighting::{Sighting, UsbFacts};

use super::sysfs::{self, Sysfs};

/// The Raspberry Pi's sensor (drivers/hwmon/raspberrypi-hwmon.c): `in0_lcrit_alarm` is 1 after under-voltage.
const PI_SENSOR: &str = "rpi_volt";
/// The two words of `power/control` (Documentation/ABI/testing/sysfs-devices-power).
const AWAKE: &str = "on";
const MAY_SLEEP: &str = "auto";
/// Sensors that are looked at.
const SENSORS_MAX: usize = 64;

/// What the board says of its supply.
pub(super) fn supply(sysfs: &Sysfs) -> Supply {
    let Ok(sensors) = fs::read_dir(sysfs.path("class/hwmon")) else { return Supply::Unknown };
    let paths = sensors.take(SENSORS_MAX).filter_map(|sensor| sensor.ok().map(|sensor| sensor.path()));
    let mut pi = paths.filter(|path| sysfs::text(&path.join("name")).as_deref() == Some(PI_SENSOR));
    match pi.next().and_then(|path: PathBuf| sysfs::value::<u8>(&path.join("in0_lcrit_alarm"))) {
        Some(0) => Supply::Enough,
        Some(_) => Supply::Low,
        None => Supply::Unknown,
    }
}

/// Keeps a USB device from being suspended.
pub(super) fn keep_awake(sysfs: &Sysfs, sighting: &Sighting) -> Result<Wakefulness, Error> {
    let Some(usb) = &sighting.usb else { return Ok(Wakefulness::WasAwake) };
    let control = control(sysfs, usb);
    if sysfs::text(&control).as_deref() == Some(AWAKE) {
        return Ok(Wakefulness::WasAwake);
    }
    fs::write(&control, AWAKE).map_err(|error| Attempt::KeepAwake(usb.path.clone()).failed(error))?;
    Ok(Wakefulness::CouldSleep)
}

/// Lets it be suspended again. What sits in its socket by now has a setting of its own.
pub(super) fn let_sleep(sysfs: &Sysfs, sighting: &Sighting) -> Result<(), Error> {
    let Some(usb) = &sighting.usb else { return Ok(()) };
    let is_it = |usb: &UsbFacts| {
        let number = |name| sysfs::value::<u8>(&directory(sysfs, usb).join(name));
        (number("busnum"), number("devnum")) == (Some(usb.bus), Some(usb.address))
    };
    if !is_it(usb) {
        return Ok(());
    }
    match fs::write(control(sysfs, usb), MAY_SLEEP) {
        Err(error) => match Attempt::LetSleep(usb.path.clone()).failed(error) {
            gone if gone.kind() == ErrorKind::NotFound => Ok(()),
            refused => Err(refused),
        },
        Ok(()) => Ok(()),
    }
}

fn control(sysfs: &Sysfs, usb: &UsbFacts) -> PathBuf {
    directory(sysfs, usb).join("power/control")
}

fn directory(sysfs: &Sysfs, usb: &UsbFacts) -> PathBuf {
    sysfs.path("bus/usb/devices").join(usb.path.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kernel::made_up::Tree;
    use crate::kernel::usb;

    const POWER: &str = "bus/usb/devices/1-2/power";

    /// A receiver with this setting.
    fn receiver(control: &str) -> (Tree, Sighting) {
        let tree = Tree::new();
        tree.receiver();
        tree.write(POWER, &[("control", control)]);
        let sighting = usb::at(&tree.sysfs(), "1-2").unwrap();
        (tree, sighting)
    }

    fn setting(tree: &Tree) -> String {
        sysfs::text(&tree.root().join(POWER).join("control")).unwrap()
    }

    #[test]
    fn a_device_that_could_sleep_is_kept_awake_and_may_sleep_again_afterwards() {
        let (tree, sighting) = receiver("auto\n");
        assert_eq!(keep_awake(&tree.sysfs(), &sighting), Ok(Wakefulness::CouldSleep));
        assert_eq!(setting(&tree), "on");
        assert_eq!(keep_awake(&tree.sysfs(), &sighting), Ok(Wakefulness::WasAwake));
        assert_eq!(let_sleep(&tree.sysfs(), &sighting), Ok(()));
        assert_eq!(setting(&tree), "auto");
    }

    #[test]
    fn another_arrival_in_its_socket_and_an_empty_socket_are_left_alone() {
        let (tree, sighting) = receiver("on\n");
        tree.write("bus/usb/devices/1-2", &[("devnum", "8\n")]);
        assert_eq!(let_sleep(&tree.sysfs(), &sighting), Ok(()));
        assert_eq!(setting(&tree), "on");
        fs::remove_dir_all(tree.root().join("bus/usb/devices")).unwrap();
        assert_eq!(let_sleep(&tree.sysfs(), &sighting), Ok(()));
        assert_eq!(keep_awake(&tree.sysfs(), &sighting).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn only_the_boards_own_sensor_speaks_of_the_supply() {
        let temp = tempfile::tempdir().unwrap();
        let sysfs = Sysfs::at(temp.path());
        assert_eq!(supply(&sysfs), Supply::Unknown);
        let sensor = |number: u8, name: &str, alarm: &str| {
            let dir = temp.path().join(format!("class/hwmon/hwmon{number}"));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("name"), format!("{name}\n")).unwrap();
            fs::write(dir.join("in0_lcrit_alarm"), alarm).unwrap();
        };
        sensor(0, "coretemp", "1\n");
        assert_eq!(supply(&sysfs), Supply::Unknown);
        sensor(1, PI_SENSOR, "0\n");
        assert_eq!(supply(&sysfs), Supply::Enough);
        sensor(1, PI_SENSOR, "1\n");
        assert_eq!(supply(&sysfs), Supply::Low);
    }
}
