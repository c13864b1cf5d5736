//! Power: what the board says of its supply, and keeping USB devices awake.

use std::fs;
use std::path::PathBuf;

use crate::bus::Supply;
use crate::error::Error;
use crate::sighting::Sighting;

use super::sysfs::{self, Sysfs};

/// The Raspberry Pi's sensor (drivers/hwmon/raspberrypi-hwmon.c): `in0_lcrit_alarm` is 1 after under-voltage.
const PI_SENSOR: &str = "rpi_volt";
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
pub(super) fn keep_awake(sysfs: &Sysfs, sighting: &Sighting) -> Result<(), Error> {
    let Some(usb) = &sighting.usb else { return Ok(()) };
    let control = sysfs.path(&format!("bus/usb/devices/{}/power/control", usb.path));
    if sysfs::text(&control).as_deref() == Some("on") {
        return Ok(());
    }
    fs::write(&control, "on").map_err(|error| Error::io(&format!("keep USB {} awake", usb.path), &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
