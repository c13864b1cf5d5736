//! Whether a device can be opened, without opening it.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::sysfs::{self, Sysfs};
use crate::error::{Attempt, Error};
use crate::sighting::{Sighting, Sort};

/// Whether this process may read and write the node of a device, or whether a radio's interface is there.
///
/// # Errors
/// `NotFound` while there is no node, `PermissionDenied` while udev has not set its permissions (or never will).
pub(crate) fn check(sysfs: &Sysfs, sighting: &Sighting) -> Result<(), Error> {
    match &sighting.sort {
        Sort::Usb { node } | Sort::Tty { node, .. } => node_access(node),
        Sort::Wifi(wifi) => {
            let index = sysfs.path("class/net").join(&wifi.interface).join("ifindex");
            if sysfs::value(&index) == Some(wifi.ifindex) {
                return Ok(());
            }
            Err(Error::NoInterface(wifi.interface.clone()))
        }
    }
}

/// Whether this process may read and write a node.
pub(super) fn node_access(node: &Path) -> Result<(), Error> {
    // By the effective user, as opening would be.
    accessat(CWD, node, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|errno| Attempt::Open(node.to_owned()).failed(errno))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_node_that_is_not_there_yet_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        let node = directory.path().join("ttyACM0");
        assert_eq!(node_access(&node).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&node, "").unwrap();
        assert_eq!(node_access(&node), Ok(()));
    }
}
