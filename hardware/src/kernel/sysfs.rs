//! Reading sysfs, bounded: attributes are short, directories are not endless, and nothing in them is trusted.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::access;
use crate::sighting::{Access, Key};

/// An attribute is at most a page (Documentation/filesystems/sysfs.rst).
const ATTRIBUTE_BYTES: u64 = 4096;
/// More entries than any class directory of a station has.
const ENTRIES: usize = 4096;
/// Deeper than any device: a USB device sits at most seven tiers below its host.
const DEPTH: usize = 32;

/// A mounted sysfs; tests have one of their own in a temporary folder.
#[derive(Debug, Clone)]
pub(crate) struct Sysfs {
    root: PathBuf,
    nodes: Nodes,
}

/// Whether the nodes of the devices are those of this machine.
#[derive(Debug, Clone, Copy)]
enum Nodes {
    Real,
    #[cfg(test)]
    MadeUp,
}

impl Sysfs {
    /// That of this machine.
    pub(crate) fn system() -> Self {
        Self { root: PathBuf::from("/sys"), nodes: Nodes::Real }
    }

    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), nodes: Nodes::MadeUp }
    }

    /// A path in it: `class/tty`.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// Whether a device's node can be opened at this moment. It is not opened, and looking does not ask the device.
    pub(crate) fn access(&self, node: &Path) -> Access {
        match self.nodes {
            Nodes::Real if access::node_access(node).is_ok() => Access::Open,
            _ => Access::Unknown,
        }
    }

    /// Whether the kernel still lists a thing. Nothing is opened for that; the link goes before the thing does (`device_del` in
    /// drivers/base/core.c).
    pub(crate) fn lists(&self, key: &Key) -> bool {
        let path = match key.0.split_once('/') {
            Some(("usb", name)) => self.path("bus/usb/devices").join(name),
            Some(("tty", name)) => self.path("class/tty").join(name),
            Some(("wifi", name)) => self.path("class/ieee80211").join(name),
            _ => return false,
        };
        match path.symlink_metadata() {
            Ok(_) => true,
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }

    /// The device's real directory and those above it, nearest first.
    pub(crate) fn upwards(&self, device: &Path) -> Vec<PathBuf> {
        let (Ok(device), Ok(root)) = (device.canonicalize(), self.root.canonicalize()) else { return Vec::new() };
        device.ancestors().take(DEPTH).take_while(|dir| **dir != root).map(Path::to_owned).collect()
    }
}

/// An attribute without the white space around it and without control characters; `None` when it cannot be read or
/// is empty.
pub(crate) fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(ATTRIBUTE_BYTES).read_to_end(&mut bytes).ok()?;
    let text: String = String::from_utf8_lossy(&bytes).trim().chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

/// An attribute that is a number, or anything else that is written as text.
pub(crate) fn value<T: FromStr>(path: &Path) -> Option<T> {
    text(path)?.parse().ok()
}

/// An attribute that is a hexadecimal number without a prefix, such as `idVendor`.
pub(crate) fn hex(path: &Path) -> Option<u16> {
    u16::from_str_radix(&text(path)?, 16).ok()
}

/// What a link points to, by its last part: the driver of `device/driver`.
pub(crate) fn link_name(path: &Path) -> Option<String> {
    Some(std::fs::read_link(path).ok()?.file_name()?.to_str()?.to_owned())
}

/// The names in a directory, in order. Empty when there is no such directory.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<String> = entries.take(ENTRIES).filter_map(name).collect();
    names.sort();
    names
}
