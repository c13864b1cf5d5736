//! Whether a device can be opened, without opening it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::sysfs::{self, Sysfs};
use crate::error::{Attempt, Error, NodeGroup};
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
    accessat(CWD, node, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS).map_err(|errno| match errno {
        Errno::ACCESS | Errno::PERM => {
            Error::MayNotOpen { node: node.to_owned(), said: errno.into(), group: group(node) }
        }
        _ => Attempt::Open(node.to_owned()).failed(errno),
    })
}

/// The group that may read and write a node, unless it is root's.
fn group(node: &Path) -> Option<NodeGroup> {
    let facts = std::fs::metadata(node).ok()?;
    let may = facts.gid() != 0 && facts.mode() & 0o060 == 0o060;
    may.then(|| NodeGroup { gid: facts.gid(), name: None })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use std::os::unix::fs::PermissionsExt;

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

    #[test]
    fn who_may_not_open_a_node_is_told_which_group_may_or_that_only_root_may() {
        let directory = tempfile::tempdir().unwrap();
        let node = directory.path().join("ttyACM0");
        std::fs::write(&node, "").unwrap();
        let words = |gid, mode| {
            std::os::unix::fs::chown(&node, None, Some(gid)).unwrap();
            std::fs::set_permissions(&node, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Error::MayNotOpen { node: "/dev/x".into(), said: Errno::ACCESS.into(), group: group(&node) };
            error.naming(|gid| (gid == 20).then(|| "dialout".to_owned())).to_string()
        };
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let said = "/dev/x: Permission denied (os error 13); ";
        let dialout =
            "add the user that runs mainstay to group dialout (`usermod -aG dialout USER`), and start mainstay anew";
        assert_eq!(words(20, 0o660), format!("{said}{dialout}"));
        let nameless = "its group 4242 has no name: give it another by a udev rule, or run mainstay as root";
        assert_eq!(words(4242, 0o660), format!("{said}{nameless}"));
        let root = "only root may: give it a group that may by a udev rule, or run mainstay as root";
        assert_eq!([words(0, 0o660), words(20, 0o640)], [root; 2].map(|root| format!("{said}{root}")));
    }
}
