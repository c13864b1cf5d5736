//! USB devices, from `/sys/bus/usb/devices`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const DEVICES: &str = "/sys/bus/usb/devices";

/// A USB device that the kernel has enumerated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// Where it is, such as `1-2`.
    pub(crate) path: String,
    /// `idVendor`.
    pub(crate) vendor: u16,
    /// `idProduct`.
    pub(crate) product: u16,
}

/// All of them but root hubs.
pub(crate) fn devices() -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    for entry in fs::read_dir(DEVICES).context(DEVICES)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // `usb1` is a root hub, `1-1:1.0` an interface. A device may be leaving while it is looked at.
        if name.starts_with("usb") || name.contains(':') {
            continue;
        }
        if let (Some(vendor), Some(product)) =
            (hexadecimal(&entry.path(), "idVendor"), hexadecimal(&entry.path(), "idProduct"))
        {
            devices.push(Device { path: name, vendor, product });
        }
    }
    Ok(devices)
}

/// The serial port on a device, such as `/dev/ttyACM0`.
pub(crate) fn tty_of(path: &str) -> Result<Option<PathBuf>> {
    for interface in fs::read_dir(DEVICES).context(DEVICES)?.flatten() {
        if !interface.file_name().to_string_lossy().starts_with(&format!("{path}:")) {
            continue;
        }
        let Ok(ttys) = fs::read_dir(interface.path().join("tty")) else { continue };
        if let Some(tty) = ttys.flatten().next() {
            return Ok(Some(Path::new("/dev").join(tty.file_name())));
        }
    }
    Ok(None)
}

fn hexadecimal(device: &Path, attribute: &str) -> Option<u16> {
    u16::from_str_radix(fs::read_to_string(device.join(attribute)).ok()?.trim(), 16).ok()
}
