//! Made-up sysfs trees in a temporary folder, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::sysfs::Sysfs;

/// A USB host, below which devices are made up.
pub(super) const HOST: &str = "devices/pci0000:00/usb1";

/// Removed when dropped.
pub(super) struct Tree(TempDir);

impl Tree {
    pub(super) fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for directory in ["bus/usb/devices", "class/tty", "drivers", HOST] {
            fs::create_dir_all(tree.0.path().join(directory)).unwrap();
        }
        tree
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn sysfs(&self) -> Sysfs {
        Sysfs::at(self.0.path())
    }

    pub(super) fn write(&self, directory: &str, attributes: &[(&str, &str)]) {
        let directory = self.0.path().join(directory);
        fs::create_dir_all(&directory).unwrap();
        for (name, text) in attributes {
            fs::write(directory.join(name), text).unwrap();
        }
    }

    pub(super) fn link(&self, from: &str, to: &str) {
        let from = self.0.path().join(from);
        fs::create_dir_all(from.parent().unwrap()).unwrap();
        symlink(self.0.path().join(to), from).unwrap();
    }

    pub(super) fn usb(&self, below: &str, name: &str, attributes: &[(&str, &str)]) -> String {
        let directory = format!("{below}/{name}");
        self.write(&directory, attributes);
        self.link(&format!("bus/usb/devices/{name}"), &directory);
        directory
    }

    pub(super) fn receiver(&self) -> String {
        let facts = [
            ("idVendor", "1546\n"),
            ("idProduct", "01a7\n"),
            ("busnum", "1\n"),
            ("devnum", "7\n"),
            ("bDeviceClass", "02\n"),
        ];
        self.usb(HOST, "1-2", &facts)
    }

    pub(super) fn tty(&self, name: &str, device: &str, driver: &str) {
        self.write(&format!("drivers/{driver}"), &[]);
        self.write(&format!("{device}/tty/{name}"), &[]);
        self.link(&format!("{device}/tty/{name}/device"), device);
        self.link(&format!("{device}/driver"), &format!("drivers/{driver}"));
        self.link(&format!("class/tty/{name}"), &format!("{device}/tty/{name}"));
    }
}
